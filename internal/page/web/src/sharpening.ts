// A text on its way from noise: the tokens at one moment, tinted where the
// model is unsure, a slider over the moments, and all of them as one picture.

import type { Frame, Num } from "./api";
import { css, onTheme } from "./colour";
import { fill, h, table } from "./dom";
import { piece } from "./panels/shards";
import { slider } from "./slider";
import { count, label, short } from "./text";

export interface Sharpening {
  element: HTMLElement;
  /** set shows frames, standing at the one with that index, the last one if null. */
  set(frames: Frame[], at: number | null): void;
  close(): void;
}

/** sharpening calls moved with the index of the frame that the reader chooses. */
export function sharpening(moved: (i: number) => void): Sharpening {
  let frames: Frame[] = [];
  let now = 0;
  const text = h("div", { class: "tokens moment", tabIndex: 0, role: "region", "aria-label": "Text at this moment" });
  const caption = h("p", { class: "about value" });
  const picture = h("canvas", { class: "heat", role: "img", "aria-label": "Confidence of each position at each moment, from noise above to text below. The table has the values of the moment that is shown." });
  const cursor = h("div", { class: "row" });
  const under = h("p", { class: "quiet value" });
  const steer = slider("Sampler step", (i) => {
    show(i);
    moved(i);
  });
  const behind = table("Table", () => {
    const f = frames[now];
    return [
      { name: "position", values: f?.tokens.map((_, i) => i) ?? [] },
      { name: "token", values: f?.tokens.map((t) => label(t)) ?? [] },
      { name: "confidence", values: f?.p ?? [] },
      { name: "given", values: f?.tokens.map((_, i) => (f.given?.[i] ? "given" : "")) ?? [] },
    ];
  });
  const heat = h("div", { class: "heatbox" }, picture, cursor);
  const givenKey = h("span", { class: "token given" }, "given");
  const element = h(
    "div",
    { class: "sharpening" },
    h("div", { class: "bar" }, steer.element),
    caption,
    text,
    h("div", { class: "key" }, h("span", {}, "unsure"), h("span", { class: "tint", "aria-hidden": "true" }), h("span", {}, "sure"), givenKey, under),
    h("figure", { class: "chart" }, h("figcaption", {}, h("h3", {}, "Confidence of each position, from noise (above) to text (below)")), heat, h("p", { class: "axis" }, h("span", {}, "0"), h("span", {}, "position in the window (tokens)"), h("span", {}, "")), behind.element),
  );
  const lastPosition = element.querySelector(".axis span:last-child") as HTMLElement;

  function show(i: number): void {
    const f = frames[i];
    if (!f) {
      fill(text);
      return;
    }
    now = i;
    const unsure = css("--unsure");
    caption.textContent = `step ${f.step} of ${f.steps}` + (f.t === null ? "" : ` · t = ${short(f.t, 3)}`) + (f.p ? ` · mean confidence ${mean(f.p)}` : "");
    while (text.children.length > f.tokens.length) text.lastChild?.remove();
    f.tokens.forEach((token, k) => {
      let span = text.children[k] as HTMLElement | undefined;
      if (!span) text.append((span = h("span", {})));
      const shown = piece(token);
      if (span.textContent !== shown) span.textContent = shown;
      const p = f.p?.[k] ?? null;
      span.className = "token" + (f.given?.[k] ? " given" : "");
      span.style.backgroundColor = p === null || f.given?.[k] ? "" : tint(p, unsure);
      span.title = `position ${k}: ${label(token)}` + (p === null ? "" : `, confidence ${short(p, 2)}`);
    });
    steer.set(frames.map((e) => `${e.step} of ${e.steps}`), i);
    cursor.style.top = `${(100 * i) / frames.length}%`;
    cursor.style.height = `${100 / frames.length}%`;
    behind.refresh();
  }

  function paint(): void {
    const width = Math.max(1, ...frames.map((f) => f.tokens.length));
    const known = frames.some((f) => f.p !== null);
    (heat.parentElement as HTMLElement).hidden = !known || frames.length < 2;
    lastPosition.textContent = count(width);
    givenKey.hidden = !frames.some((f) => f.given?.some(Boolean));
    picture.width = width;
    picture.height = Math.max(1, frames.length);
    const context = picture.getContext("2d");
    if (!context) return;
    const [unsure, given] = [css("--unsure"), css("--given")];
    context.clearRect(0, 0, picture.width, picture.height);
    frames.forEach((f, y) =>
      f.p?.forEach((p, x) => {
        if (p === null) return;
        context.globalAlpha = f.given?.[x] ? 0.4 : 1;
        context.fillStyle = f.given?.[x] ? given : tint(p, unsure);
        context.fillRect(x, y, 1, 1);
      }),
    );
  }

  text.addEventListener("pointerover", (e) => {
    if (e.target instanceof HTMLElement && e.target !== text) under.textContent = e.target.title;
  });
  heat.addEventListener("click", (e) => {
    const box = picture.getBoundingClientRect();
    const i = Math.min(frames.length - 1, Math.max(0, Math.floor(((e.clientY - box.top) / box.height) * frames.length)));
    show(i);
    moved(i);
  });
  const offTheme = onTheme(() => {
    paint();
    show(now);
  });

  return {
    element,
    set(next, at) {
      frames = next;
      paint();
      show(at === null ? frames.length - 1 : Math.min(Math.max(0, at), frames.length - 1));
    },
    close() {
      steer.close();
      offTheme();
    },
  };
}

// tint is orange where the model is unsure and nothing where it is sure.
function tint(p: number, unsure: string): string {
  return `rgb(${unsure} / ${(0.75 * (1 - p)).toFixed(3)})`;
}

function mean(p: Num[]): string {
  const known = p.filter((v): v is number => v !== null);
  return known.length === 0 ? "–" : (known.reduce((a, b) => a + b, 0) / known.length).toFixed(3);
}
