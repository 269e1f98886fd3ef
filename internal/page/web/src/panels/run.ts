// The run itself: loss, gradient norm, learning rate, speed, skipped steps and
// held-out losses, of one run or of several over each other.

import type { Curves, Num, Run } from "../api";
import { chart, type Series } from "../chart";
import { get } from "../data";
import { choice, fill, h } from "../dom";
import { figures, type Context, type Mounted, type Panel } from "../panel";
import { count } from "../text";
import { view } from "../view";

export const run: Panel = {
  id: "run",
  name: "Run",
  title: "How training goes",
  of: ["metrics", "timing"],
  mount,
};

type Loaded = { run: Run; at: number; curves: Curves };

function mount(body: HTMLElement, context: Context): Mounted {
  const losses = chart();
  const held = chart();
  const gradient = chart("low");
  const rate = chart("low");
  const speed = chart("low");
  const skipped = chart("low");
  const facts = h("dl", { class: "tiles" });
  const bar = h("div", { class: "bar" });
  let loaded: Loaded[] = [];

  body.append(bar, facts, h("div", { class: "charts" }, losses.element, held.element, gradient.element, rate.element, speed.element, skipped.element));
  const offView = view.on((keys) => {
    if (keys.has("runs")) void load();
    else if (keys.has("along") || keys.has("scale")) draw();
  });
  controls();

  function chosen(): Set<string> {
    const named = (view.get("runs") ?? "").split(",").filter((id) => context.runs.some((r) => r.id === id));
    return new Set(named.length > 0 ? named : [context.run.id]);
  }

  function controls(): void {
    const boxes = context.runs.map((r) => {
      const box = h("input", { type: "checkbox", checked: chosen().has(r.id), onchange: () => {
        const now = chosen();
        if (box.checked) now.add(r.id);
        else now.delete(r.id);
        view.set({ runs: [...now].join(",") || null });
        box.checked = chosen().has(r.id);
      } });
      return h("label", { class: "check" }, box, r.name);
    });
    fill(
      bar,
      context.runs.length > 1 && h("fieldset", {}, h("legend", {}, "Runs"), ...boxes),
      choice("Along", [{ value: "step", label: "steps" }, { value: "tokens", label: "tokens" }], view.get("along") ?? "step", (v) => view.set({ along: v === "step" ? null : v })),
      choice("Loss", [{ value: "linear", label: "linear" }, { value: "log", label: "logarithmic" }], view.get("scale") ?? "linear", (v) => view.set({ scale: v === "linear" ? null : v })),
    );
  }

  async function load(): Promise<void> {
    const ids = chosen();
    const runs = context.runs.filter((r) => ids.has(r.id));
    loaded = await Promise.all(
      runs.map(async (r) => ({ run: r, at: context.runs.indexOf(r), curves: await get<Curves>(`/api/runs/${r.id}/curves?points=1000`) })),
    );
    draw();
  }

  function draw(): void {
    const along = view.get("along") === "tokens" ? "tokens" : "step";
    const log = view.get("scale") === "log";
    const x = { label: along === "tokens" ? "tokens seen" : "training step", zero: true };
    const several = loaded.length > 1;
    const name = (l: Loaded, what: string) => (several ? l.run.name : what);
    // Tokens grow with steps, so that a step of any column has its tokens.
    const place = (l: Loaded, steps: number[]): number[] => {
      if (along === "step") return steps;
      const last = l.curves.training.step.length - 1;
      const each = (l.curves.training.tokens[last] ?? 0) / Math.max(1, l.curves.training.step[last] ?? 1);
      return steps.map((s) => s * each);
    };
    const lines = (what: string, column: (c: Curves["training"]) => Num[], band?: [(c: Curves["training"]) => Num[], (c: Curves["training"]) => Num[]]): Series[] =>
      loaded.map((l) => ({
        label: name(l, what),
        x: place(l, l.curves.training.step),
        y: column(l.curves.training),
        colour: l.at,
        ...(band ? { low: band[0](l.curves.training), high: band[1](l.curves.training) } : {}),
      }));

    losses.update({
      title: "Training loss",
      about: "Means of groups of steps; the shade goes from the lowest to the highest of each group.",
      x,
      y: { label: "nats a token", log },
      series: lines("loss", (c) => c.loss, [(c) => c.loss_min, (c) => c.loss_max]),
      empty: "The run has not written a loss yet.",
    });
    held.update({
      title: "Held-out loss",
      about: loaded.some((l) => l.run.objective === "cdcd") ? "Of diffusion: the mean over the noise levels of an evaluation. The panel “Loss by noise” has each of them." : "",
      x,
      y: { label: "nats a token", log },
      series: loaded.map((l) => {
        const e = l.curves.evaluations;
        const y = e.nats ?? (e.ce ?? []).map(mean);
        const se = e.std_err;
        return {
          label: name(l, "held out"),
          x: place(l, e.step),
          y,
          colour: l.at,
          ...(se ? { low: y.map((v, i) => (v === null ? null : v - 2 * (se[i] ?? 0))), high: y.map((v, i) => (v === null ? null : v + 2 * (se[i] ?? 0))) } : {}),
        };
      }),
      empty: "Held-out losses come with the first evaluation (run.eval_every), where there is held-out text.",
    });
    gradient.update({ title: "Gradient norm, before clipping", x, y: { label: "norm", log: true }, series: lines("norm", (c) => c.grad_norm) });
    rate.update({ title: "Learning rate", x, y: { label: "learning rate" }, series: lines("learning rate", (c) => c.lr) });
    speed.update({
      title: "Speed",
      x,
      y: { label: "tokens a second" },
      series: loaded.map((l) => ({ label: name(l, "tokens a second"), x: place(l, l.curves.speed.step), y: l.curves.speed.tokens_per_second, colour: l.at })),
    });
    skipped.update({
      title: "Skipped steps",
      about: "Steps whose loss or gradient was not finite, and which changed nothing.",
      x,
      y: { label: "steps, in total", whole: true },
      series: lines("skipped", (c) => c.skipped),
    });
    tiles();
  }

  function tiles(): void {
    const tile = (k: string, v: string) => h("div", {}, h("dt", {}, k), h("dd", {}, v));
    fill(
      facts,
      ...loaded.flatMap((l) => {
        const t = l.curves.training;
        const last = t.loss.at(-1) ?? null;
        const prefix = loaded.length > 1 ? l.run.name + " · " : "";
        return [
          tile(prefix + "step", `${count(l.run.step)} of ${count(l.run.steps)}`),
          tile(prefix + "loss", last === null ? "–" : last.toFixed(3)),
          tile(prefix + "tokens a second", count(l.curves.speed.tokens_per_second.at(-1) ?? null)),
          ...(loaded.length > 1 ? [] : [tile("parameters", count(l.run.parameters)), tile("vocabulary", `${count(l.run.vocab)} (${l.run.tokenizer})`), tile("window", `${l.run.length} tokens`), tile("objective", l.run.objective)]),
        ];
      }),
    );
  }

  return {
    load,
    downloads: () => figures(`/api/runs/${context.run.id}/figures/run`, `/api/runs/${context.run.id}/curves?points=1000`),
    close() {
      offView();
      for (const c of [losses, held, gradient, rate, speed, skipped]) c.close();
    },
  };
}

function mean(row: Num[]): Num {
  const known = row.filter((v): v is number => v !== null);
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
}
