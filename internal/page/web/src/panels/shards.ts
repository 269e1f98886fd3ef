// The shards: how many documents and tokens there are, how long they are, and
// how the text of one is cut.

import type { Document, Documents, Shards } from "../api";
import { chart } from "../chart";
import { get, getOnce, has, report } from "../data";
import { fill, h } from "../dom";
import { figures, type Context, type Mounted, type Panel } from "../panel";
import { bytes, count, label, running, short, visible } from "../text";
import { view } from "../view";

const pageSize = 50;

export const shards: Panel = {
  id: "shards",
  name: "Shards",
  title: "The text that is learned from",
  of: ["shards"],
  mount,
};

function mount(body: HTMLElement, context: Context): Mounted {
  const lengths = chart("low");
  const facts = h("dl", { class: "tiles" });
  const list = h("div", { class: "table", tabIndex: 0, role: "region", "aria-label": "Shards" });
  const documents = h("div", { class: "documents" });
  const text = h("article", { class: "document", "aria-live": "polite", tabIndex: 0, "aria-label": "Text of the document" });
  body.append(
    facts,
    h("div", { class: "charts plain" }, lengths.element, h("div", {}, h("h3", {}, "Shards"), list)),
    h("div", { class: "charts" }, h("div", {}, h("h3", {}, "Documents"), documents), h("div", {}, h("h3", {}, "Text with its tokens marked"), text)),
  );
  const offView = view.on((keys) => {
    if (keys.has("offset")) void showDocuments().catch(tell(documents));
    if (keys.has("doc")) void showDocument().catch(tell(text));
  });

  function tell(where: HTMLElement): (e: unknown) => void {
    return (e) => fill(where, h("p", { class: "problem" }, (e as Error).message));
  }

  async function showDocuments(): Promise<void> {
    const offset = Math.max(0, view.number("offset") ?? 0);
    const path = `/api/shards/documents?offset=${offset}&limit=${pageSize}`;
    const page = await get<Documents>(path);
    const rows = page.documents.map((d) => {
      const open = h("button", { type: "button", class: "open", onclick: () => view.set({ doc: d.id }) }, visible(d.begins) || "⟨empty⟩");
      const inside = has(`/api/shards/documents/${encodeURIComponent(d.id)}`);
      return h("tr", {}, h("td", { class: "words" }, inside ? open : visible(d.begins)), h("td", {}, count(d.tokens)), h("td", {}, count(d.bytes)), h("td", { class: "words source" }, visible(d.source)));
    });
    const step = (name: string, to: number, possible: boolean) => h("button", { type: "button", disabled: !possible, onclick: () => view.set({ offset: to === 0 ? null : to }) }, name);
    fill(
      documents,
      h("div", { class: "table", tabIndex: 0, role: "region", "aria-label": "Documents" }, h("table", {}, h("thead", {}, h("tr", {}, ...["Begins", "Tokens", "Bytes", "Source"].map((c) => h("th", { scope: "col" }, c)))), h("tbody", {}, ...rows))),
      h("div", { class: "bar" }, !report && step("← Earlier", Math.max(0, offset - pageSize), offset > 0), !report && step("Later →", offset + pageSize, offset + pageSize < page.total), h("span", { class: "quiet" }, `${count(offset + 1)}–${count(offset + page.documents.length)} of ${count(page.total)}`)),
    );
    if (view.get("doc") === null) {
      const first = page.documents.find((d) => has(`/api/shards/documents/${encodeURIComponent(d.id)}`));
      if (first) await showDocument(first.id);
      else fill(text, h("p", { class: "quiet" }, "No document is part of this report."));
    }
  }

  async function showDocument(id = view.get("doc")): Promise<void> {
    if (id === null) return;
    const d = await getOnce<Document>(`/api/shards/documents/${encodeURIComponent(id)}`);
    fill(
      text,
      h("p", { class: "quiet" }, `${visible(d.source)} · ${d.id} · ${count(d.tokens.length)} tokens${d.more ? " shown, there are more" : ""}`),
      marked(d.tokens),
    );
  }

  return {
    async load() {
      if (!context.shards) throw new Error("No shards were given. Start it as: inspect serve RUN --stream DIR");
      const s = await get<Shards>("/api/shards");
      const tile = (k: string, v: string) => h("div", {}, h("dt", {}, k), h("dd", {}, v));
      fill(facts, tile("documents", count(s.documents)), tile("tokens", count(s.tokens)), tile("bytes", bytes(s.bytes)), tile("tokens a byte", short(s.tokens_per_byte)), ...(s.splits ?? []).map((p) => tile(`split ${p.name}`, `${count(p.documents)} documents`)));
      const { edges, counts } = occupied(s.lengths);
      lengths.update({
        title: "Length of documents",
        about: s.counted < s.documents ? `Of the first ${count(s.counted)} documents.` : "",
        x: { label: "tokens a document", log: true },
        y: { label: "documents", whole: true },
        series: [{ label: "documents", x: counts.map((_, i) => Math.sqrt((edges[i] ?? 1) * (edges[i + 1] ?? 1))), y: counts, colour: 0, draw: "bars", edges }],
      });
      fill(
        list,
        h("table", {}, h("thead", {}, h("tr", {}, ...["Shard", "Documents", "Tokens", "Bytes"].map((c) => h("th", { scope: "col" }, c)))), h("tbody", {}, ...s.shards.map((p) => h("tr", {}, h("td", { class: "words" }, visible(p.name)), h("td", {}, count(p.documents)), h("td", {}, count(p.tokens)), h("td", {}, count(p.bytes)))))),
      );
      await Promise.all([showDocuments().catch(tell(documents)), showDocument().catch(tell(text))]);
    },
    downloads: () => (context.shards ? figures("/api/shards/figures/shards", "/api/shards") : []),
    close() {
      offView();
      lengths.close();
    },
  };
}

// occupied leaves out the empty bins at both ends of a histogram whose edges
// double; the first bin begins at 0, which no logarithm shows.
function occupied({ edges, counts }: Shards["lengths"]): Shards["lengths"] {
  const from = Math.max(0, counts.findIndex((c) => c > 0));
  const to = counts.findLastIndex((c) => c > 0) + 1;
  return { edges: edges.slice(from, to + 1).map((e) => Math.max(e, 1)), counts: counts.slice(from, to) };
}

// marked shows tokens in a row, every second one shaded.
function marked(tokens: string[]): HTMLElement {
  return h("div", { class: "tokens cut" }, ...tokens.map((t, i) => h("span", { class: "token", title: `token ${i}: ${label(t)}` }, piece(t))));
}

/** piece is a token inside running text: its line breaks are both seen and made. */
export function piece(token: string): string {
  return running(token).replaceAll("\n", "⏎\n");
}
