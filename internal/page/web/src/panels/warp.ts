// The warp: where on the noise axis training and sampling spend their time,
// and how that moved while the run learned.

import type { Snapshot, Warp } from "../api";
import { chart, type Series } from "../chart";
import { amount } from "../colour";
import { get, getOnce, has } from "../data";
import { h } from "../dom";
import { figures, type Mounted, type Panel } from "../panel";
import { slider } from "../slider";
import { brief, count } from "../text";
import { view } from "../view";

export const warp: Panel = {
  id: "warp",
  name: "Warp",
  title: "Where on the noise axis the run spends its time",
  of: ["warp"],
  mount,
};

const dashes = [[6, 4], [2, 3], [10, 4], [8, 3, 2, 3], [4, 2]];
const tAxis = { label: "noise level t (standard deviation)", log: true };

function mount(body: HTMLElement, { run }: { run: { id: string; objective: string } }): Mounted {
  const base = `/api/runs/${run.id}/warp`;
  const cdf = chart();
  const density = chart();
  const tracks = chart();
  const facts = h("dl", { class: "tiles" });
  let data: Warp | null = null;
  let steps: number[] = [];
  let asked = 0;

  const steer = slider("Training step", (i) => {
    const last = i === steps.length - 1;
    view.set({ step: last ? null : (steps[i] ?? null) });
  });
  body.append(h("div", { class: "bar" }, steer.element), facts, h("div", { class: "charts" }, cdf.element, density.element, tracks.element));
  tracks.element.classList.add("wide");

  const offView = view.on((keys) => {
    if (keys.has("step")) void choose();
  });

  // choose shows the snapshot that the view names, the newest otherwise.
  async function choose(): Promise<void> {
    if (!data) return;
    const at = closest(steps, view.number("step"));
    steer.set(steps.map((s) => `${count(s)}`), at);
    const turn = ++asked;
    const step = steps[at];
    const newest = data.newest;
    const snapshot = step === undefined || step === newest?.step ? newest : await getOnce<Snapshot>(`${base}/${step}`);
    if (turn === asked && snapshot) draw(data, snapshot);
  }

  function draw(all: Warp, s: Snapshot): void {
    const w = s.warp;
    const range: [number, number] = [w.t_min, w.t_max];
    const learned = `learned, step ${count(s.step)}`;
    const fixed = (column: "cdf" | "density"): Series[] =>
      all.schedules.map((f, i) => ({ label: f.name, x: f.t, y: f[column], colour: i + 1, dash: dashes[i % dashes.length] ?? [], width: 1.2 }));
    cdf.update({
      title: "Share of time below a noise level",
      about: "The cumulative distribution F(t) that the run learned, and the fixed schedules that it could have used instead.",
      x: { ...tAxis, range },
      y: { label: "u = F(t)", range: [0, 1] },
      series: [{ label: learned, x: w.t, y: w.cdf, colour: 0, width: 2.5 }, ...fixed("cdf")],
    });
    density.update({
      title: "Density over the logarithm of t",
      about: "How much of the time falls on each stretch of the axis. The area under every line is 1.",
      x: { ...tAxis, range },
      y: { label: "dF / d ln t" },
      series: [{ label: learned, x: w.t, y: w.density.map((d, i) => d * (w.t[i] ?? 0)), colour: 0, width: 2.5 }, ...fixed("density")],
    });
    const { u, t } = all.quantiles;
    tracks.update({
      title: "Quantiles of t while training",
      about: "Each line is the noise level below which that share of the time is spent; they come together where the run finds something to learn.",
      x: { label: "training step", zero: true },
      y: { label: "noise level t", log: true },
      series: u.map((level, k) => ({ label: `u = ${level}`, x: all.steps, y: t.map((row) => row[k] ?? null), colour: () => amount(k / Math.max(1, u.length - 1)) })).reverse(),
      mark: { x: s.step, label: `step ${count(s.step)}` },
    });
    const tile = (name: string, value: string) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
    facts.replaceChildren(tile("warp", w.kind), tile("range of t", `${brief(w.t_min)} – ${brief(w.t_max)}`), ...w.quantiles.map((q) => tile(`t at u = ${q.u}`, q.t.toPrecision(3))));
  }

  return {
    async load() {
      if (run.objective === "ar") throw new Error("A run of the autoregressive baseline has no noise levels, and so no warp.");
      data = await get<Warp>(base);
      const newest = data.newest?.step;
      steps = data.steps.filter((s) => s === newest || has(`${base}/${s}`));
      if (newest !== undefined && steps.at(-1) !== newest) steps.push(newest);
      if (!data.newest) throw new Error("The run has not written a snapshot of its warp yet.");
      await choose();
    },
    downloads: () => figures(`/api/runs/${run.id}/figures/warp`, base, atStep(steps)),
    close() {
      offView();
      steer.close();
      for (const c of [cdf, density, tracks]) c.close();
    },
  };
}

/** closest is the place in increasing steps of the one nearest to step, of the last for null. */
export function closest(steps: number[], step: number | null): number {
  if (step === null) return steps.length - 1;
  let best = 0;
  steps.forEach((s, i) => {
    if (Math.abs(s - step) < Math.abs((steps[best] ?? 0) - step)) best = i;
  });
  return best;
}

/** atStep is the query for the one of steps that the view shows; none for the newest. */
export function atStep(steps: number[]): string {
  const at = closest(steps, view.number("step"));
  return at < steps.length - 1 ? `?step=${steps[at]}` : "";
}
