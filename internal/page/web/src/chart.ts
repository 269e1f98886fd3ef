// A figure: a title that says what one sees, a legend that switches its series
// and shows their values under the cursor, a plot, and the table behind it.

import uPlot from "uplot";
import type { Num } from "./api";
import { css, kind, onTheme } from "./colour";
import { fill, h, table, type Column } from "./dom";
import { linear, logarithmic } from "./ticks";
import { short, tick } from "./text";

export interface Series {
  label: string;
  x: number[]; // increasing
  y: Num[];
  colour: number | (() => string); // place in the palette, or a colour of the ramp
  draw?: "line" | "points" | "bars" | "dots"; // dots: very many; their chart has a table of its own
  edges?: number[]; // of bars
  low?: Num[]; // of a band around a line, or of error bars at points
  high?: Num[];
  dash?: number[];
  width?: number;
}

export interface Axis {
  label: string; // with its unit
  log?: boolean;
  range?: [number, number];
  zero?: boolean; // begins at 0
  whole?: boolean; // counts: no half ticks
}

export interface Spec {
  title: string;
  about?: string;
  x: Axis;
  y: Axis;
  series: Series[];
  mark?: { x: number; label: string } | null; // a vertical line
  empty?: string; // said where there is nothing to draw yet
  table?: () => Column[]; // behind the chart, where its series do not say all
}

export interface Chart {
  element: HTMLElement;
  tools: HTMLElement; // a place for choices beside the title
  update(spec: Spec): void;
  close(): void;
}

const fewPoints = 16; // a line through so few shows them
const font = "11px system-ui, sans-serif";

export function chart(kindOf: "tall" | "low" = "tall"): Chart {
  const title = h("h3", {});
  const about = h("p", { class: "about" });
  const legend = h("ul", { class: "legend" });
  const tools = h("div", { class: "tools" });
  const plot = h("div", { class: "plot " + kindOf, tabIndex: 0, role: "img" });
  const spoken = h("span", { class: "spoken", "aria-live": "polite" });
  const behind = table("Table", () => columnsOf(spec));
  const element = h("figure", { class: "chart" }, h("figcaption", {}, h("div", { class: "titles" }, title, tools), about, legend), plot, h("div", {}, spoken, behind.element));

  let spec: Spec = { title: "", x: { label: "" }, y: { label: "" }, series: [] };
  let drawn: uPlot | null = null;
  let signature = "";
  let zoomed = false;
  const off = new Set<string>();
  let entries: { button: HTMLElement; name: HTMLElement; value: HTMLElement }[] = []; // of the legend, by series
  let entriesOf = "";
  const position = h("span", { class: "value" }); // of the cursor

  const shown = (s: Series) => !off.has(s.label);
  const colourOf = (s: Series) => (typeof s.colour === "number" ? kind(s.colour) : s.colour());

  function signatureOf(s: Spec): string {
    return JSON.stringify([s.x, s.y, s.series.map((e) => [shown(e), colourOf(e), e.draw, e.dash, e.width, e.low !== undefined])]);
  }

  function update(next: Spec): void {
    spec = next;
    title.textContent = spec.title;
    about.textContent = spec.about ?? "";
    about.hidden = !spec.about;
    plot.setAttribute("aria-label", `${spec.title}. ${spec.y.label} by ${spec.x.label}. Arrow keys read values; the table below has them all.`);
    const now = signatureOf(spec);
    const nothing = spec.series.every((s) => !s.y.some((y) => y !== null && Number.isFinite(y)));
    if (nothing) {
      destroy();
      fill(plot, h("p", { class: "quiet" }, spec.empty ?? "Nothing is known yet."));
    } else if (drawn && now === signature) {
      drawn.setData(join(spec), !zoomed);
      if (zoomed) drawn.redraw();
    } else {
      build();
    }
    signature = now;
    showLegend();
    behind.refresh();
  }

  function destroy(): void {
    drawn?.destroy();
    drawn = null;
    zoomed = false;
    position.textContent = "";
    for (const e of entries) e.value.textContent = "";
  }

  function build(): void {
    destroy();
    fill(plot);
    const width = plot.clientWidth;
    if (width < 40) return; // not laid out yet: the observer calls again
    drawn = new uPlot(options(width, plot.clientHeight), join(spec), plot);
  }

  function options(width: number, height: number): uPlot.Options {
    const text = css("--quiet");
    const grid = { stroke: css("--grid"), width: 1 };
    const axis = (a: Axis, side: 2 | 3): uPlot.Axis => ({
      side,
      label: a.label,
      font,
      labelFont: font,
      stroke: text,
      grid,
      ticks: { ...grid, size: 4 },
      gap: 4,
      size: side === 2 ? 26 : 48,
      labelSize: 16,
      labelGap: side === 2 ? 0 : 2,
      splits: (u, _i, min, max) => {
        const pixels = (side === 2 ? u.bbox.width : u.bbox.height) / devicePixelRatio || width;
        const ticks = (a.log ? logarithmic : linear)(min, max, pixels, side === 2 ? 52 : 30);
        return a.whole ? ticks.filter(Number.isInteger) : ticks;
      },
      filter: (_u, splits) => splits,
      values: (_u, splits) => splits.map(tick),
    });
    return {
      width,
      height,
      padding: [8, 10, 0, 0],
      legend: { show: false },
      focus: { alpha: 0.35 },
      cursor: {
        y: false,
        drag: { x: true, y: false },
        points: { size: 6 },
        dataIdx: (u, s, i) => nearest(u.data[s] as Num[] | undefined, i),
      },
      scales: {
        x: { time: false, distr: spec.x.log ? 3 : 1, range: (_u, min, max) => (zoomed ? [min, max] : (spec.x.range ?? widths())) },
        y: { distr: spec.y.log ? 3 : 1, range: () => spec.y.range ?? heights() },
      },
      axes: [axis(spec.x, 2), axis(spec.y, 3)],
      series: [
        {},
        ...spec.series.map((s): uPlot.Series => {
          const line = s.draw === undefined || s.draw === "line";
          return {
            show: shown(s),
            stroke: colourOf(s),
            width: line ? (s.width ?? 1.6) : 0,
            ...(s.dash ? { dash: s.dash } : {}),
            spanGaps: true,
            ...(line ? {} : { paths: () => null }),
            points: { show: s.draw === "points" || (line && s.x.length <= fewPoints), size: 5, fill: colourOf(s), width: 0 },
          };
        }),
      ],
      hooks: {
        drawSeries: [(u, i) => extras(u, i)],
        draw: [(u) => mark(u)],
        setCursor: [(u) => readOut(u)],
        setSelect: [(u) => { if (u.select.width > 0) zoomed = true; }],
        ready: [(u) => u.over.addEventListener("dblclick", () => { zoomed = false; })],
      },
    };
  }

  // widths is the range of x over all series, the edges of bars included.
  function widths(): [number, number] {
    let min = spec.x.zero ? 0 : Infinity;
    let max = -Infinity;
    for (const s of spec.series) {
      const column = s.edges ?? s.x;
      for (const x of column) {
        if (!Number.isFinite(x) || (spec.x.log && x <= 0)) continue;
        min = Math.min(min, x);
        max = Math.max(max, x);
      }
    }
    if (min > max) return spec.x.log ? [0.1, 10] : [0, 1];
    const [low, high] = room(min, max, spec.x.log, 0.015);
    return [spec.x.zero ? 0 : low, high];
  }

  // heights is the range of y over all that is shown, error bars included.
  function heights(): [number, number] {
    let min = Infinity;
    let max = -Infinity;
    for (const s of spec.series) {
      if (!shown(s)) continue;
      for (const column of [s.y, s.low, s.high]) {
        for (const v of column ?? []) {
          if (v === null || !Number.isFinite(v) || (spec.y.log && v <= 0)) continue;
          min = Math.min(min, v);
          max = Math.max(max, v);
        }
      }
      if (s.draw === "bars" && !spec.y.log) min = Math.min(min, 0);
    }
    if (min > max) return spec.y.log ? [0.1, 10] : [0, 1];
    const [low, high] = room(min, max, spec.y.log, 0.06);
    return [!spec.y.log && min >= 0 && (min === 0 || low < 0) ? 0 : low, high];
  }

  // extras draws what uPlot does not: bands, error bars, bars and dots.
  function extras(u: uPlot, i: number): void {
    const s = spec.series[i - 1];
    if (!s || !shown(s)) return;
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    const px = (v: number) => u.valToPos(v, "x", true);
    const py = (v: number) => u.valToPos(v, "y", true);
    const floor = u.scales["y"]?.min ?? 0;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = ctx.strokeStyle = colourOf(s);
    if (s.draw === "bars" && s.edges) {
      ctx.globalAlpha = 0.75;
      const bottom = py(spec.y.log ? floor : Math.max(0, floor));
      for (let k = 0; k < s.y.length; k++) {
        const v = s.y[k];
        const [a, b] = [s.edges[k], s.edges[k + 1]];
        if (v === null || v === undefined || v <= 0 || a === undefined || b === undefined) continue;
        const [left, right] = [px(a), px(b)];
        ctx.fillRect(left, py(v), Math.max(ratio, right - left - ratio), bottom - py(v));
      }
    } else if (s.draw === "dots") {
      ctx.globalAlpha = 0.5;
      const half = (s.x.length > 2000 ? 1 : 2) * ratio;
      for (let k = 0; k < s.x.length; k++) {
        const v = s.y[k];
        if (v !== null && v !== undefined) ctx.fillRect(px(s.x[k] as number) - half, py(v) - half, 2 * half, 2 * half);
      }
    } else if (s.low && s.high) {
      if (s.draw === "points") {
        ctx.lineWidth = ratio;
        ctx.beginPath();
        for (let k = 0; k < s.x.length; k++) {
          const [low, high] = [s.low[k], s.high[k]];
          if (low === null || low === undefined || high === null || high === undefined) continue;
          const x = px(s.x[k] as number);
          ctx.moveTo(x, py(Math.max(low, spec.y.log ? floor : low)));
          ctx.lineTo(x, py(high));
        }
        ctx.stroke();
      } else {
        ctx.globalAlpha = 0.16;
        ctx.beginPath();
        const at = s.x.map((_, k) => k).filter((k) => s.low?.[k] != null && s.high?.[k] != null);
        for (const k of at) ctx.lineTo(px(s.x[k] as number), py(s.high[k] as number));
        for (const k of at.reverse()) ctx.lineTo(px(s.x[k] as number), py(Math.max(s.low[k] as number, spec.y.log ? floor : -Infinity)));
        ctx.fill();
      }
    }
    ctx.restore();
  }

  function mark(u: uPlot): void {
    if (!spec.mark) return;
    const { ctx, bbox } = u;
    const x = Math.round(u.valToPos(spec.mark.x, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.save();
    ctx.strokeStyle = css("--text");
    ctx.fillStyle = css("--text");
    ctx.globalAlpha = 0.7;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    const right = x < bbox.left + bbox.width * 0.7;
    ctx.textAlign = right ? "left" : "right";
    ctx.fillText(spec.mark.label, x + (right ? 4 : -4) * devicePixelRatio, bbox.top + 11 * devicePixelRatio);
    ctx.restore();
  }

  // showLegend leaves the buttons where they are, and with them the keyboard, as long as the series look the same.
  function showLegend(): void {
    const now = JSON.stringify(spec.series.map((s) => [colourOf(s), s.draw, s.dash]));
    if (now !== entriesOf) {
      entriesOf = now;
      entries = spec.series.map((s, i) => {
        const [name, value] = [h("span", {}), h("span", { class: "value" })];
        return { name, value, button: h("button", { type: "button", title: "Show or hide", onclick: () => toggle(i) }, sample(s, colourOf(s)), name, value) };
      });
      fill(legend, ...entries.map((e) => h("li", {}, e.button)), h("li", { class: "at" }, position));
    }
    spec.series.forEach((s, i) => {
      const e = entries[i];
      if (!e) return;
      if (e.name.textContent !== s.label) e.name.textContent = s.label;
      e.button.setAttribute("aria-pressed", String(shown(s)));
    });
  }

  function toggle(i: number): void {
    const s = spec.series[i] as Series;
    if (off.has(s.label)) off.delete(s.label);
    else off.add(s.label);
    drawn?.setSeries(i + 1, { show: shown(s) });
    signature = signatureOf(spec);
    showLegend();
  }

  function readOut(u: uPlot): string {
    const i = u.cursor.idx;
    const inside = i !== null && i !== undefined && (u.cursor.left ?? -1) >= 0;
    const x = inside ? u.data[0][i] : undefined;
    const words: string[] = [];
    position.textContent = x === undefined ? "" : `${spec.x.label.replace(/ \(.*/, "")} ${short(x)}`;
    spec.series.forEach((s, k) => {
      const found = inside && shown(s) ? nearest(u.data[k + 1] as Num[] | undefined, i) : null;
      const y = found === null ? null : (u.data[k + 1]?.[found] ?? null);
      const entry = entries[k];
      if (entry) entry.value.textContent = y === null ? "" : short(y);
      if (y !== null) words.push(`${s.label} ${short(y)}`);
    });
    return x === undefined ? "" : `${spec.x.label} ${short(x)}: ${words.join(", ")}`;
  }

  plot.addEventListener("keydown", (e) => {
    if (!drawn || (e.key !== "ArrowLeft" && e.key !== "ArrowRight")) return;
    e.preventDefault();
    const xs = drawn.data[0];
    const now = drawn.cursor.idx ?? (e.key === "ArrowRight" ? -1 : xs.length);
    const stride = e.shiftKey ? Math.max(1, Math.round(xs.length / 20)) : 1;
    const next = Math.min(xs.length - 1, Math.max(0, now + (e.key === "ArrowRight" ? stride : -stride)));
    drawn.setCursor({ left: drawn.valToPos(xs[next] as number, "x"), top: 10 });
    spoken.textContent = readOut(drawn);
  });

  const redo = () => {
    if (spec.series.length === 0) return;
    signature = "";
    update(spec);
  };
  const offTheme = onTheme(redo);
  const observer = new ResizeObserver(() => {
    const [width, height] = [plot.clientWidth, plot.clientHeight];
    if (!drawn) redo();
    else if (width > 40 && (Math.abs(width - drawn.width) > 0.5 || height !== drawn.height)) drawn.setSize({ width, height });
  });
  observer.observe(plot);

  return {
    element,
    tools,
    update,
    close() {
      observer.disconnect();
      offTheme();
      destroy();
    },
  };
}

// sample is the piece of line, dot or bar in the legend.
function sample(s: Series, colour: string): SVGSVGElement {
  const make = <K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string | number>): SVGElementTagNameMap[K] => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    return element;
  };
  const svg = make("svg", { width: 22, height: 12, "aria-hidden": "true" });
  if (s.draw === "bars") svg.append(make("rect", { x: 6, y: 1, width: 10, height: 10, fill: colour, opacity: 0.75 }));
  else if (s.draw === "points" || s.draw === "dots") svg.append(make("circle", { cx: 11, cy: 6, r: 3.5, fill: colour }));
  else svg.append(make("line", { x1: 0, y1: 6, x2: 22, y2: 6, stroke: colour, "stroke-width": s.dash ? 1.5 : 2.5, "stroke-dasharray": s.dash?.join(" ") ?? "none" }));
  return svg;
}

// room widens [min, max] by a share of itself, on a logarithm by a factor.
function room(min: number, max: number, log: boolean | undefined, share: number): [number, number] {
  if (log) {
    const wide = max > min ? (max / min) ** share : 1.5;
    return [min / wide, max * wide];
  }
  // What differs in its last digits only is drawn as the flat line that it is.
  const flat = Math.max(0, Math.abs(max) * 2e-3 - (max - min)) / 2;
  const wide = max > min ? (max - min) * share + flat : Math.abs(max) * 0.1 || 1;
  return [min - wide, max + wide];
}

function nearest(column: Num[] | undefined, i: number): number {
  if (!column) return i;
  for (let d = 0; d < column.length; d++) {
    for (const k of [i - d, i + d]) {
      const v = column[k];
      if (v !== null && v !== undefined) return k;
    }
  }
  return i;
}

// join lays series with different x beside each other, as uPlot wants them.
function join(spec: Spec): uPlot.AlignedData {
  const place = new Map<number, number>();
  for (const s of spec.series) if (s.draw !== "dots") for (const x of s.x) place.set(x, 0);
  let dots: Series | undefined;
  if (place.size === 0) dots = spec.series[0]; // dots alone: their x is the axis
  const xs = dots ? [...new Set(dots.x)] : [...place.keys()];
  xs.sort((a, b) => a - b);
  xs.forEach((x, i) => place.set(x, i));
  const columns = spec.series.map((s) => {
    const column: Num[] = new Array<Num>(xs.length).fill(null);
    s.x.forEach((x, i) => {
      const at = place.get(x);
      const y = s.y[i];
      if (at !== undefined && y !== null && y !== undefined && Number.isFinite(y) && !(spec.y.log && y <= 0)) column[at] = y;
    });
    return column;
  });
  return [xs, ...columns] as uPlot.AlignedData;
}

function columnsOf(spec: Spec): Column[] {
  if (spec.table) return spec.table();
  const listed: Spec = { ...spec, series: spec.series.filter((s) => s.draw !== "dots") };
  if (listed.series.length === 0) return [];
  const data = join(listed);
  return [{ name: spec.x.label, values: data[0] as number[] }, ...listed.series.map((s, i) => ({ name: `${s.label} (${spec.y.label})`, values: data[i + 1] as Num[] }))];
}
