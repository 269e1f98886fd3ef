// The embeddings: how long the raw vectors are, whether they collapse, and
// which tokens lie beside which.

import type { Embeddings, Neighbours, Num, Shards } from "../api";
import { chart } from "../chart";
import { amount } from "../colour";
import { get } from "../data";
import { choice, fill, h, table, type Column } from "../dom";
import { pointMap } from "../map";
import { forgetVectors, neighbours, vectors, vectorLimit } from "../neighbours";
import { figures, type Context, type Mounted, type Panel } from "../panel";
import { count, label, short } from "../text";
import { umap, umapPossible, type Layout } from "../umap";
import { view } from "../view";

export const embeddings: Panel = {
  id: "embeddings",
  name: "Embeddings",
  title: "Which tokens lie beside which, and whether they collapse",
  of: ["embeddings"],
  mount,
};

const listed = 40; // results of a search
const hoverWait = 120; // milliseconds

function mount(body: HTMLElement, { run, shards }: Context): Mounted {
  const histogram = chart("low");
  const frequency = chart("low");
  const cosines = chart("low");
  const rank = chart("low");
  const norms = chart("low");
  const spectrum = chart("low");
  const alarm = h("div", { class: "alarm", role: "alert", hidden: true });
  const facts = h("dl", { class: "tiles" });
  const bar = h("div", { class: "bar" });
  const found = h("ul", { class: "found", "aria-label": "Tokens found" });
  const near = h("div", { class: "near", "aria-live": "polite" });
  const under = h("p", { class: "under value" }, "\u00a0");
  const ramp = h("div", { class: "ramp" });
  const extremes = h("div", { class: "extremes" });
  let data: Embeddings | null = null;
  let texts: string[] = [];
  let lower: string[] = [];
  let layout: Layout | null = null;
  let laying: AbortController | null = null;
  let turn = 0;
  let wait = 0;
  let closed = false;
  let times = "times in the text";

  const name = (id: number) => label(texts[id] ?? `#${id}`, 24);
  const behind = table("Table", () => listing(texts.map((_, i) => i)));
  const map = pointMap(name, hover, (id) => view.set({ token: id }));
  const search = h("input", { type: "search", placeholder: "Search tokens, or #id", "aria-label": "Search tokens", spellcheck: false, value: view.get("find") ?? "", oninput: () => view.set({ find: search.value || null }) });
  const side = h("div", { class: "side" }, search, found, near);
  body.append(
    alarm,
    facts,
    h("figure", { class: "chart mapbox" }, h("figcaption", {}, h("h3", {}, "Map of the tokens"), bar), h("div", { class: "mapside" }, h("div", {}, map.element, h("div", { class: "key" }, ramp, under)), side), behind.element),
    h("div", { class: "charts thirds" }, histogram.element, frequency.element, spectrum.element, cosines.element, rank.element, norms.element),
    extremes,
  );
  const offView = view.on((keys) => {
    if (!data) return;
    if (keys.has("colour")) colours();
    if (keys.has("token")) select();
    if (keys.has("find")) results();
    if (keys.has("map")) void place();
  });

  // listing is the table of some tokens.
  function listing(ids: number[]): Column[] {
    const t = data?.tokens;
    return [
      { name: "token", values: ids.map(name) },
      { name: "id", values: ids },
      ...(t?.count ? [{ name: times, values: ids.map((i) => t.count?.[i]) }] : []),
      { name: "raw norm", values: ids.map((i) => t?.norm[i]) },
      { name: "PCA 1", values: ids.map((i) => t?.x[i]) },
      { name: "PCA 2", values: ids.map((i) => t?.y[i]) },
    ];
  }

  function hover(id: number | null): void {
    clearTimeout(wait);
    if (id === null) {
      under.textContent = "\u00a0";
      wait = window.setTimeout(() => select(), hoverWait);
      return;
    }
    const t = data?.tokens;
    const n = t?.count?.[id];
    under.textContent = `${name(id)} · #${id} · norm ${short(t?.norm[id] ?? null, 3)}` + (n === undefined ? "" : ` · ${count(n)} times`);
    wait = window.setTimeout(() => void showNear(id, false), hoverWait);
  }

  function chosen(): number | null {
    const id = view.number("token");
    return id !== null && Number.isInteger(id) && id >= 0 && id < texts.length ? id : null;
  }

  function select(): void {
    const id = chosen();
    if (id === null) {
      turn++;
      map.select([], matches());
      fill(near, h("p", { class: "quiet" }, "Point at a token, or choose one, to see its ten nearest."));
    } else {
      void showNear(id, true);
    }
  }

  async function showNear(id: number, kept: boolean): Promise<void> {
    if (!data) return;
    const mine = ++turn;
    let answer: Neighbours;
    try {
      answer = await neighbours(run.id, data.step, id, (k) => texts[k] ?? "");
    } catch (error) {
      if (mine !== turn) return;
      map.select(kept ? [id] : [], matches());
      fill(near, h("p", { class: "problem" }, (error as Error).message));
      return;
    }
    if (mine !== turn) return;
    map.select([id, ...answer.neighbours.map((n) => n.id)], matches());
    const rows = answer.neighbours.map((n) => {
      const length = h("span", { class: "length", "aria-hidden": "true" });
      length.style.width = `${Math.max(0, Math.min(1, n.cosine)) * 100}%`;
      return h("li", {}, h("button", { type: "button", onclick: () => view.set({ token: n.id }) }, h("span", { class: "token" }, label(n.text)), h("span", { class: "value" }, n.cosine.toFixed(3)), length));
    });
    fill(near, h("h4", {}, "Nearest to ", h("span", { class: "token" }, name(id)), " by cosine"), h("ol", {}, ...rows));
  }

  function matches(): number[] {
    const query = (view.get("find") ?? "").trim();
    if (query === "") return [];
    if (/^#\d+$/.test(query)) return Number(query.slice(1)) < texts.length ? [Number(query.slice(1))] : [];
    const wanted = (view.get("find") ?? "").toLowerCase();
    const ids: number[] = [];
    for (let i = 0; i < lower.length; i++) if ((lower[i] as string).includes(wanted)) ids.push(i);
    // Whole tokens first, then short ones.
    const far = (i: number) => (lower[i] as string).length;
    return ids.sort((a, b) => far(a) - far(b) || a - b);
  }

  function results(): void {
    if (search.value !== (view.get("find") ?? "")) search.value = view.get("find") ?? "";
    const ids = matches();
    fill(
      found,
      ...ids.slice(0, listed).map((id) => h("li", {}, h("button", { type: "button", onclick: () => view.set({ token: id }) }, h("span", { class: "token" }, name(id))))),
      ids.length > listed && h("li", { class: "quiet" }, `and ${count(ids.length - listed)} more`),
      ids.length === 0 && search.value !== "" && h("li", { class: "quiet" }, "No token has this in it."),
    );
    select();
  }

  // Values between 0 and 1 for the colours, and what the ramp's ends mean.
  function colours(): void {
    if (!data) return;
    const t = data.tokens;
    const byCount = t.count !== null && view.get("colour") !== "norm";
    const amountOf = byCount ? (t.count as number[]).map((c) => Math.log1p(c)) : t.norm.map((r) => Math.log(Math.max(r, 1e-12)));
    let [min, max] = [Infinity, -Infinity];
    for (const v of amountOf) {
      if (v < min) min = v;
      if (v > max) max = v;
    }
    const values = (layout ? layout.ids : amountOf.map((_, i) => i)).map((id) => ((amountOf[id] as number) - min) / (max - min || 1));
    map.recolour(values);
    const back = (v: number) => (byCount ? count(Math.round(Math.expm1(v))) : short(Math.exp(v), 3));
    const strip = h("span", { class: "strip", "aria-hidden": "true" });
    strip.style.backgroundImage = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(amount).join(", ")})`;
    fill(ramp, h("span", { class: "value" }, back(min)), strip, h("span", { class: "value" }, back(max)), h("span", {}, byCount ? times : "raw norm"));
  }

  // place puts points where the PCA or UMAP says.
  async function place(): Promise<void> {
    if (!data) return;
    laying?.abort();
    if (view.get("map") === "umap" && umapPossible) {
      const mine = (laying = new AbortController());
      const note = h("progress", { max: 1, value: 0, "aria-label": "UMAP" });
      controls(note);
      try {
        const v = await vectors(run.id);
        layout = await umap(v, (share) => (note.value = share), mine.signal);
      } catch (error) {
        if (mine.signal.aborted) return;
        layout = null;
        controls(h("span", { class: "problem" }, (error as Error).message));
        return show(true);
      }
    } else {
      layout = null;
    }
    controls();
    show(true);
  }

  function show(fit: boolean): void {
    if (!data) return;
    const t = data.tokens;
    map.set(layout ? { ids: layout.ids, x: layout.x, y: layout.y, value: [] } : { ids: t.x.map((_, i) => i), x: t.x, y: t.y.map((y) => -y), value: [] }, fit);
    colours();
    select();
  }

  function controls(extra?: HTMLElement): void {
    const some = Math.min(vectorLimit, texts.length);
    const explained = data?.explained ?? [];
    const share = explained.length > 1 ? ` (${Math.round(100 * ((explained[0] ?? 0) + (explained[1] ?? 0)))} % of the variance)` : "";
    fill(
      bar,
      choice("Layout", [{ value: "pca", label: "PCA" + share }, ...(umapPossible ? [{ value: "umap", label: some < texts.length ? `UMAP of ${count(some)} tokens` : "UMAP" }] : [])], view.get("map") ?? "pca", (v) => view.set({ map: v === "pca" ? null : v })),
      choice("Colour", [...(data?.tokens.count ? [{ value: "frequency", label: "frequency" }] : []), { value: "norm", label: "raw norm" }], view.get("colour") ?? "frequency", (v) => view.set({ colour: v === "frequency" ? null : v })),
      extra,
    );
  }

  function draw(e: Embeddings): void {
    const { stats } = e;
    const alarms = stats.alarms ?? [];
    alarm.hidden = alarms.length === 0;
    fill(alarm, h("strong", {}, "Signs of collapse: "), alarms.join("; "));
    const tile = (k: string, v: string) => h("div", {}, h("dt", {}, k), h("dd", {}, v));
    fill(
      facts,
      tile("step", count(e.step)),
      tile("tokens × dimensions", `${count(stats.tokens)} × ${stats.dim}`),
      tile("effective rank", `${short(stats.effective_rank, 3)} of ${Math.min(stats.dim, stats.tokens)}`),
      tile("mean cosine", short(stats.mean_cosine, 3)),
      tile("largest cosine", short(stats.max_cosine, 3)),
      tile("nearest pair", stats.nearest_pair.map((id) => name(id)).join("  ")),
      tile("never updated", count(stats.never_updated?.length ?? 0)),
      tile("collapse", alarms.length === 0 ? "no sign" : `${alarms.length} signs`),
    );
    const { edges, counts } = stats.raw_norm_histogram;
    const log = (edges[0] ?? 0) > 0;
    histogram.update({
      title: "Norms of the raw embeddings",
      x: { label: "raw norm ‖W‖", log },
      y: { label: "tokens", whole: true },
      series: [{ label: "tokens", x: counts.map((_, i) => Math.sqrt((edges[i] ?? 1) * (edges[i + 1] ?? 1))), y: counts, colour: 0, draw: "bars", edges }],
      mark: { x: stats.raw_norm.median, label: `median ${short(stats.raw_norm.median, 3)}` },
    });
    const seen = e.tokens.count;
    const order = seen ? seen.map((_, i) => i).filter((i) => (seen[i] as number) > 0).sort((a, b) => (seen[a] as number) - (seen[b] as number)) : [];
    frequency.update({
      title: "Norm against frequency",
      x: { label: times, log: true },
      y: { label: "raw norm ‖W‖", log: true },
      series: [{ label: "a token each", x: order.map((i) => seen?.[i] ?? 0), y: order.map((i) => e.tokens.norm[i] ?? null), colour: 0, draw: "dots" }],
      table: () => listing(order.toReversed()),
      empty: "How often each token occurs is not known here (--stream DIR tells).",
    });
    const total = stats.singular_values.reduce((sum, s) => sum + s * s, 0) || 1;
    spectrum.update({
      title: "Spectrum of the table",
      x: { label: "direction" },
      y: { label: "share of the variance", log: true },
      series: [{ label: "share", x: stats.singular_values.map((_, i) => i + 1), y: stats.singular_values.map((s) => (s * s) / total), colour: 0, draw: "points" }],
    });
    const byNorm = e.tokens.norm.map((_, i) => i).sort((a, b) => (e.tokens.norm[a] as number) - (e.tokens.norm[b] as number));
    const list = (title: string, ids: number[]) =>
      h("details", { class: "behind" }, h("summary", {}, title), h("ul", { class: "found" }, ...ids.map((id) => h("li", {}, h("button", { type: "button", onclick: () => view.set({ token: id }) }, h("span", { class: "token" }, name(id)), h("span", { class: "value" }, short(e.tokens.norm[id] ?? null, 3)))))));
    fill(extremes, list("The 20 shortest", byNorm.slice(0, 20)), list("The 20 longest", byNorm.slice(-20).reverse()), (stats.never_updated?.length ?? 0) > 0 && list("Never updated", (stats.never_updated ?? []).slice(0, 100)));
  }

  // drawHistory draws what evaluations add to, also between two checkpoints.
  function drawHistory(past: Embeddings["history"]): void {
    const x = { label: "training step", zero: true };
    const steps = past?.step ?? [];
    const empty = "The history comes with the next evaluations.";
    cosines.update({
      title: "Cosines between tokens",
      x,
      y: { label: "cosine" },
      series: [
        { label: "largest", x: steps, y: past?.max_cosine ?? [], colour: 1 },
        { label: "mean", x: steps, y: past?.mean_cosine ?? [], colour: 0 },
      ],
      empty,
    });
    rank.update({ title: "Effective rank", x, y: { label: "dimensions" }, series: [{ label: "effective rank", x: steps, y: past?.effective_rank ?? [], colour: 0 }], empty });
    norms.update({
      title: "Raw norms while training",
      about: "The median, and from the 5th to the 95th percentile.",
      x,
      y: { label: "raw norm ‖W‖" },
      series: [{ label: "median", x: steps, y: past?.norm_median ?? [], colour: 0, low: (past?.norm_q05 ?? []) as Num[], high: (past?.norm_q95 ?? []) as Num[] }],
      empty,
    });
  }

  return {
    async load() {
      const before = data;
      const [now, counted] = await Promise.all([get<Embeddings>(`/api/runs/${run.id}/embeddings`), shards ? get<Shards>("/api/shards").catch(() => null) : null]);
      if (closed) return; // or UMAP would begin for nobody
      if (counted && counted.counted < counted.documents) times = `times in the first ${count(counted.counted)} documents`;
      data = now;
      drawHistory(data.history);
      if (before && before.step === data.step) return;
      forgetVectors(run.id);
      texts = data.tokens.text;
      lower = texts.map((t) => t.toLowerCase());
      draw(data);
      behind.refresh();
      if (before && !layout) show(false);
      else if (!before) {
        controls();
        if (view.get("map") === "umap") show(true);
        void place();
      }
      results();
    },
    downloads: () => figures(`/api/runs/${run.id}/figures/embeddings`, `/api/runs/${run.id}/embeddings`),
    close() {
      closed = true;
      offView();
      clearTimeout(wait);
      laying?.abort();
      map.close();
      for (const c of [histogram, frequency, cosines, rank, norms, spectrum]) c.close();
    },
  };
}
