// The loss by noise level: what training saw, the curve fitted to it, what the
// held-out text says, and which kinds of tokens are still confused.

import type { Evaluation, Evaluations, Num, Snapshot, Warp } from "../api";
import { chart } from "../chart";
import { amount, kind } from "../colour";
import { get, getOnce, has, report } from "../data";
import { choice, fill, h } from "../dom";
import { figures, type Mounted, type Panel } from "../panel";
import { slider } from "../slider";
import { count } from "../text";
import { view } from "../view";
import { atStep, closest } from "./warp";

export const loss: Panel = {
  id: "loss",
  name: "Loss by noise",
  title: "What is still confused at each noise level",
  of: ["warp", "metrics"],
  mount,
};

const groups: Record<string, string> = {
  frequency: "frequency of the token (deciles)",
  kind: "kind of token",
  place: "place in the word",
};

function mount(body: HTMLElement, { run }: { run: { id: string; objective: string } }): Mounted {
  const base = `/api/runs/${run.id}`;
  const curve = chart();
  const counts = chart("low");
  const classes = chart();
  const over = chart("low");
  let warpData: Warp | null = null;
  let evaluations: Evaluation[] = [];
  let steps: number[] = [];
  let asked = 0;
  let offered = ""; // groups of classes

  const steer = slider("Training step", (i) => view.set({ step: i === steps.length - 1 ? null : (steps[i] ?? null) }));
  body.append(
    h("div", { class: "bar" }, steer.element),
    h("div", { class: "charts" }, curve.element, classes.element, counts.element, over.element),
  );
  const offView = view.on((keys) => {
    if (keys.has("step") || keys.has("group")) void choose();
  });

  async function choose(): Promise<void> {
    const at = closest(steps, view.number("step"));
    steer.set(steps.map(count), at);
    const step = steps[at] ?? 0;
    const turn = ++asked;
    const newest = warpData?.newest ?? null;
    const snapshot = !warpData || newest === null || step === newest.step ? newest : await getOnce<Snapshot>(`${base}/warp/${step}`);
    if (turn !== asked) return;
    const known = evaluations.filter((e) => e.step <= step);
    draw(step, snapshot, known.at(-1) ?? null);
  }

  function draw(step: number, snapshot: Snapshot | null, held: Evaluation | null): void {
    const w = snapshot?.warp;
    const range: [number, number] | undefined = w ? [w.t_min, w.t_max] : undefined;
    const x = { label: "noise level t (standard deviation)", log: true, ...(range ? { range } : {}) };
    const seen = (w?.observed ?? []).filter((o) => o.effective > 0);
    curve.update({
      title: "Cross-entropy by noise level",
      about: `Training's recent losses at step ${count(step)} with two standard errors, the curve that the warp fits to them, and held-out text${held ? ` at step ${count(held.step)}` : ""}.`,
      x,
      y: { label: "nats a token" },
      series: [
        { label: "observed", x: seen.map((o) => o.t), y: seen.map((o) => o.loss), colour: 0, draw: "points", low: seen.map((o) => o.loss - 2 * o.loss_se), high: seen.map((o) => o.loss + 2 * o.loss_se) },
        ...(w?.loss ? [{ label: "fitted", x: w.t, y: w.loss, colour: 1, width: 2 }] : []),
        ...(held ? [{ label: "held out", x: held.t, y: held.ce, colour: 2, low: spread(held, -2), high: spread(held, 2), width: 2 }] : []),
      ],
      empty: "No losses are known at this step.",
    });
    counts.update({
      title: "Observations behind each point",
      x,
      y: { label: "effective number", whole: true },
      series: [{ label: "observations", colour: 0, draw: "bars", ...bars(seen) }],
    });
    drawClasses(held, x);
    const levels = evaluations.at(-1)?.t ?? [];
    over.update({
      title: "Held-out loss while training",
      about: "One line a noise level, from little noise (dark) to much (bright).",
      x: { label: "training step", zero: true },
      y: { label: "nats a token" },
      series: levels.map((t, k) => ({ label: `t = ${t.toPrecision(2)}`, x: evaluations.map((e) => e.step), y: evaluations.map((e) => e.ce[k] ?? null), colour: () => amount(k / Math.max(1, levels.length - 1)) })),
      mark: evaluations.length > 1 ? { x: step, label: "" } : null,
      empty: "Held-out losses come with the first evaluation (run.eval_every).",
    });
  }

  function drawClasses(held: Evaluation | null, x: { label: string; log: boolean }): void {
    const all = held?.classes ?? [];
    const names = [...new Set(all.map((c) => c.group))];
    const group = names.includes(view.get("group") ?? "") ? (view.get("group") as string) : (names[0] ?? "");
    if (names.join() !== offered) {
      offered = names.join();
      fill(classes.tools, names.length > 1 && choice("by", names.map((n) => ({ value: n, label: groups[n] ?? n })), group, (v) => view.set({ group: v })));
    }
    const select = classes.tools.querySelector("select");
    if (select) select.value = group;
    const some = all.filter((c) => c.group === group);
    const ramp = some.length > 6;
    classes.update({
      title: "Held-out loss by class of token",
      about: held ? `Of the evaluation at step ${count(held.step)}${ramp || some.length === 0 ? "" : ", with two standard errors"}.` : "",
      x,
      y: { label: "nats a token" },
      series: some.map((c, i) => ({
        label: `${c.name}${group === "frequency" && i === 0 ? " (most frequent)" : ""} · ${count(c.tokens)} tokens`,
        x: held?.t ?? [],
        y: c.ce,
        ...(ramp ? {} : { low: c.ce.map((v, k) => add(v, c.se[k], -2)), high: c.ce.map((v, k) => add(v, c.se[k], 2)) }),
        colour: ramp ? () => amount(i / (some.length - 1)) : () => kind(i),
      })),
      empty: held ? "This run's evaluations do not tell classes of tokens apart." : "Classes come with the first evaluation (run.eval_every).",
    });
  }

  return {
    async load() {
      if (run.objective === "ar") throw new Error("A run of the autoregressive baseline has no noise levels. Its losses are in the panel “Run”.");
      [warpData, { evaluations }] = await Promise.all([get<Warp>(`${base}/warp`), get<Evaluations>(`${base}/evaluations`)]);
      const newest = warpData.newest?.step;
      steps = warpData.steps.filter((s) => s === newest || !report || has(`${base}/warp/${s}`));
      if (newest !== undefined && steps.at(-1) !== newest) steps.push(newest);
      await choose();
    },
    downloads: () => figures(`${base}/figures/loss`, `${base}/evaluations`, atStep(steps)),
    close() {
      offView();
      steer.close();
      for (const c of [curve, counts, classes, over]) c.close();
    },
  };
}

function add(v: Num | undefined, se: Num | undefined, times: number): Num {
  return v === null || v === undefined || se === null || se === undefined ? null : v + times * se;
}

function spread(e: Evaluation, times: number): Num[] {
  return e.ce.map((v, i) => add(v, e.se[i], times));
}

// bars are those of the bins; where some are left out, an empty one stands for them.
function bars(seen: Snapshot["warp"]["observed"]): { x: number[]; y: number[]; edges: number[] } {
  const [x, y, edges]: [number[], number[], number[]] = [[], [], []];
  let last = Infinity;
  for (const o of seen) {
    if (o.t_lo > last * 1.0000001) {
      x.push(Math.sqrt(last * o.t_lo));
      y.push(0);
      edges.push(last);
    }
    x.push(o.t);
    y.push(o.effective);
    edges.push(o.t_lo);
    last = o.t_hi;
  }
  return { x, y, edges: [...edges, last] };
}
