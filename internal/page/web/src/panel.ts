// What a panel is, and what all of them share: a head with a title, downloads
// and a link to the view, and a place for what went wrong.

import type { Run } from "./api";
import { get, has, report } from "./data";
import { fill, h, save } from "./dom";
import { view } from "./view";

export interface Context {
  runs: Run[];
  run: Run; // the one that is looked at
  shards: boolean;
}

export interface Mounted {
  /** load asks for the data anew and shows them. */
  load(): Promise<void>;
  /** downloads are those of what is shown now. */
  downloads(): Download[];
  close(): void;
}

export interface Panel {
  id: string;
  name: string; // in the row of panels
  title: string; // what one sees
  of: string[]; // the parts of a run whose change it shows: metrics, warp, samples, embeddings
  mount(body: HTMLElement, context: Context): Mounted;
}

export interface Download {
  name: string;
  href?: string; // of the server
  make?: () => Promise<void>; // in a report
}

export interface Shown {
  element: HTMLElement;
  panel: Panel;
  load(): Promise<void>;
  close(): void;
}

/** show builds the section of a panel and loads it. */
export function show(panel: Panel, context: Context): Shown {
  const problem = h("div", { class: "problem", role: "alert", hidden: true });
  const body = h("div", { class: "body" });
  const links = h("div", { class: "downloads" });
  const heading = h("h2", { id: "title-" + panel.id }, panel.title);
  const element = h("section", { class: "panel", id: "panel-" + panel.id, "aria-labelledby": heading.id, "aria-busy": "true" }, h("div", { class: "head" }, heading, links), problem, body);
  let mounted: Mounted | null = null;

  const fail = (error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    fill(problem, h("span", {}, text), !report && h("button", { type: "button", onclick: () => void load() }, "Try again"));
    problem.hidden = false;
    body.classList.add("stale");
  };
  const load = async () => {
    element.setAttribute("aria-busy", "true");
    try {
      mounted ??= panel.mount(body, context);
      linkRow();
      await mounted.load();
      problem.hidden = true;
      body.classList.remove("stale");
      linkRow();
    } catch (error) {
      fail(error);
    } finally {
      element.setAttribute("aria-busy", "false");
    }
  };
  // The links stay where they are while the view changes and data come, and so does the keyboard.
  let names = "";
  const linkRow = () => {
    const all = mounted?.downloads() ?? [];
    const now = all.map((d) => d.name).join();
    if (links.childElementCount === 0 || now !== names) {
      const rows = all.map((d, i) =>
        d.href !== undefined
          ? h("a", { download: "", "aria-label": `Download ${panel.name} as ${d.name}` }, d.name)
          : h("button", { type: "button", "aria-label": `Download ${panel.name} as ${d.name}`, onclick: () => void mounted?.downloads()[i]?.make?.().catch(fail) }, d.name),
      );
      fill(links, ...rows, linkButton());
      names = now;
    }
    all.forEach((d, i) => d.href !== undefined && links.children[i]?.setAttribute("href", d.href));
  };
  const offView = view.on(linkRow);
  return {
    element,
    panel,
    load,
    close() {
      offView();
      mounted?.close();
    },
  };
}

function linkButton(): HTMLElement {
  const link = h("button", { type: "button", class: "link", title: "Copies the address of this view" }, "Copy link");
  link.addEventListener("click", () => {
    navigator.clipboard.writeText(location.href).then(
      () => (link.textContent = "Copied"),
      () => (link.textContent = "See the address bar"),
    );
    setTimeout(() => (link.textContent = "Copy link"), 1600);
  });
  return link;
}

/** figures gives the downloads of a panel whose figure the server draws. */
export function figures(base: string, data: string, query = ""): Download[] {
  if (!report) {
    return ["png", "svg", "csv", "json"].map((kind) => ({ name: kind.toUpperCase(), href: `${base}.${kind}${query}` }));
  }
  const file = base.slice(base.lastIndexOf("/") + 1);
  const made: Download[] = [];
  if (has(base + ".svg")) {
    made.push({ name: "PNG", make: async () => save(file + ".png", "image/png", await png(await get<string>(base + ".svg"))) });
    made.push({ name: "SVG", make: async () => save(file + ".svg", "image/svg+xml", await get<string>(base + ".svg")) });
  }
  if (has(base + ".csv")) made.push({ name: "CSV", make: async () => save(file + ".csv", "text/csv", await get<string>(base + ".csv")) });
  if (has(data)) made.push({ name: "JSON", make: async () => saveJSON(file, await get(data)) });
  return made;
}

export function saveJSON(name: string, value: unknown): void {
  save(name + ".json", "application/json", JSON.stringify(value, null, 1));
}

async function png(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * image.naturalWidth;
  canvas.height = 2 * image.naturalHeight;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser draws no pictures.");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((b) => (b ? resolve(b) : reject(new Error("This browser makes no PNG."))), "image/png"));
}
