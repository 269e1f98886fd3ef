// The frame of the page: which runs there are, which panel is shown, and what
// is training. The live page shows one panel at a time, a report all of them.

import type { Change, Curves, Run, Runs } from "./api";
import { get, listen, report } from "./data";
import { choice, fill, h } from "./dom";
import { canvas } from "./panels/canvas";
import { embeddings } from "./panels/embeddings";
import { loss } from "./panels/loss";
import { run as runPanel } from "./panels/run";
import { shards } from "./panels/shards";
import { warp } from "./panels/warp";
import { show, type Context, type Panel, type Shown } from "./panel";
import { count, duration } from "./text";
import { view } from "./view";

const panels: Panel[] = [warp, loss, embeddings, canvas, runPanel, shards];
const refreshEvery = 2500; // milliseconds between two refreshes of what is shown

const at = (id: string) => document.getElementById(id) as HTMLElement;
const [main, runsBar, panelsBar, status, foot] = [at("main"), at("runs"), at("panels"), at("status"), at("foot")];

let all: Runs = { schema: 1, version: "", runs: [], shards: false };
let shown: Shown[] = [];
let context: Context | null = null;
let gone = false;

const panelNow = (): Panel => panels.find((p) => p.id === view.get("panel")) ?? (panels[0] as Panel);
const runNow = (): Run | undefined => all.runs.find((r) => r.id === view.get("run")) ?? all.runs[0];
const known = (r: Run) => r.length > 0; // its settings could be read
const fits = (p: Panel, r: Run) => r.objective === "cdcd" || p.id !== "warp";

async function start(): Promise<void> {
  try {
    all = await get<Runs>("/api/runs");
  } catch (error) {
    fill(main, h("div", { class: "problem", role: "alert" }, h("span", {}, (error as Error).message), h("button", { type: "button", onclick: () => void start() }, "Try again")));
    return;
  }
  build();
}

const problem = h("div", { class: "problem", role: "alert", hidden: true });

// showProblem says what is wrong with the run, above what could be read of it.
function showProblem(): void {
  const run = runNow();
  problem.hidden = !run?.problem;
  const text = run?.problem ? `${run.name}: ${run.problem}` : "";
  if (problem.textContent !== text) fill(problem, h("span", {}, text));
}

function build(): void {
  for (const s of shown) s.close();
  shown = [];
  const run = runNow();
  if (!run) {
    fill(main, h("p", { class: "quiet" }, "No run was given: inspect serve RUN"));
    return;
  }
  document.title = `${run.name} · ${report ? "report" : panelNow().name} · textwarp`;
  showProblem();
  if (!known(run)) {
    fill(main, problem);
    bars();
    showStatus();
    return;
  }
  context = { runs: all.runs.filter(known), run, shards: all.shards };
  const chosen = report ? panels.filter((p) => fits(p, run) && (p !== shards || all.shards)) : [panelNow()];
  const c = context;
  shown = chosen.map((p) => show(p, c));
  fill(main, problem, report && cover(run), ...shown.map((s) => s.element));
  bars();
  for (const s of shown) void s.load();
  showStatus();
}

// cover says at the top of a report what it is about.
function cover(run: Run): HTMLElement {
  const facts: [string, string][] = [
    ["objective", run.objective === "ar" ? "next token (autoregressive)" : "CDCD (continuous diffusion)"],
    ["steps", `${count(run.step)} of ${count(run.steps)}`],
    ["tokens seen", count(run.tokens)],
    ["parameters", count(run.parameters)],
    ["vocabulary", `${count(run.vocab)} (${run.tokenizer})`],
    ["window", `${count(run.length)} tokens`],
    ["state", run.state],
  ];
  return h("dl", { class: "tiles" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function bars(): void {
  const now = runNow();
  if (all.runs.length > 1 && now) {
    fill(runsBar, choice("Run", all.runs.map((r) => ({ value: r.id, label: (r.problem ? "⚠ " : "") + r.name })), now.id, (id) => view.set({ run: id, step: null, sample: null, frame: null, token: null, length: null })));
  } else {
    fill(runsBar, h("span", { class: "name", title: now?.path }, now?.name ?? ""));
  }
  const links = panels.map((p) => {
    const a = h("a", { href: report ? `#panel=${p.id}` : `#${hashWith(p.id)}` }, p.name);
    if (!report && p === panelNow()) a.setAttribute("aria-current", "page");
    a.addEventListener("click", (e) => {
      e.preventDefault();
      view.set({ panel: p.id });
      if (report) document.getElementById("panel-" + p.id)?.scrollIntoView();
    });
    return a;
  });
  fill(panelsBar, ...links.filter((_, i) => !report || shown.length === 0 || shown.some((s) => s.panel === panels[i])));
  fill(foot, `textwarp ${all.version}`, report && " · report, recorded when it was made");
}

function hashWith(panel: string): string {
  const query = new URLSearchParams(location.hash.slice(1));
  query.set("panel", panel);
  return query.toString();
}

// Speed and time left of the run that is looked at.

let stepsPerSecond: number | null = null;
let tokensPerSecond: number | null = null;
let speedOf = "";

async function measure(run: Run): Promise<void> {
  speedOf = run.id;
  stepsPerSecond = tokensPerSecond = null;
  const { speed } = await get<Curves>(`/api/runs/${run.id}/curves?points=60`);
  const last = speed.step.length - 1;
  const first = Math.max(0, last - 3);
  const seconds = (speed.seconds[last] ?? 0) - (speed.seconds[first] ?? 0);
  if (last > first && seconds > 0) stepsPerSecond = ((speed.step[last] ?? 0) - (speed.step[first] ?? 0)) / seconds;
  tokensPerSecond = speed.tokens_per_second[last] ?? null;
}

let showing = "";

function showStatus(): void {
  const run = runNow();
  if (!run) return;
  if (run.state === "training" && !report && known(run) && speedOf !== run.id) {
    void measure(run).then(showStatus, () => undefined);
  }
  const share = run.steps > 0 ? Math.min(1, run.step / run.steps) : 0;
  const bar = h("progress", { max: 1, value: share, "aria-label": "Share of the training steps that is done" });
  const words = [`step ${count(run.step)} of ${count(run.steps)}`];
  if (run.state === "training" && !report && speedOf === run.id) {
    if (tokensPerSecond !== null) words.push(`${count(Math.round(tokensPerSecond))} tokens/s`);
    if (stepsPerSecond !== null && stepsPerSecond > 0) words.push(`${duration((run.steps - run.step) / stepsPerSecond)} left`);
  }
  const state = gone ? "server gone, trying again" : run.state;
  const text = [state, ...words].join(" · ");
  if (text === showing) return;
  showing = text;
  fill(status, h("span", { class: `state ${gone ? "gone" : run.state}` }, state), bar, h("span", { class: "words" }, words.join(" · ")));
}

// What changes is fetched anew, and only what is shown.

const waiting = new Map<string, Set<string>>();
let timer = 0;

function changed(c: Change): void {
  const run = all.runs.find((r) => r.id === c.run);
  if (!run) return;
  const stateWas = run.state;
  run.step = Math.max(run.step, c.step);
  run.state = c.state;
  if (stateWas !== c.state) speedOf = "";
  if (run.problem !== (c.problem ?? "")) void renew();
  showStatus();
  const parts = waiting.get(c.run) ?? new Set<string>();
  for (const part of c.changed) parts.add(part);
  waiting.set(c.run, parts);
  if (!timer) timer = window.setTimeout(refresh, refreshEvery);
}

function refresh(): void {
  timer = 0;
  const now = runNow();
  for (const s of shown) {
    const touched = [...waiting].some(([id, parts]) => (s.panel === runPanel || id === now?.id) && s.panel.of.some((part) => parts.has(part)));
    if (touched) void s.load();
  }
  if (now && waiting.get(now.id)?.has("metrics")) void measure(now).then(showStatus, () => undefined);
  waiting.clear();
}

// renew asks for the runs anew. The page is built anew where others can be shown
// now, such as one that had not quite begun; otherwise what is shown stays.
async function renew(): Promise<void> {
  const now = await get<Runs>("/api/runs").catch(() => null);
  if (!now) return;
  const shape = ({ runs, shards }: Runs) => JSON.stringify([shards, runs.map((r) => [r.id, r.path, known(r)])]);
  if (shape(now) !== shape(all)) {
    all = now;
    build();
    return;
  }
  const problems = ({ runs }: Runs) => JSON.stringify(runs.map((r) => r.problem));
  const others = problems(now) !== problems(all);
  all.runs.forEach((r, i) => Object.assign(r, now.runs[i])); // which panels hold
  if (others) {
    bars();
    showProblem();
  }
  showStatus();
}

listen({
  change: changed,
  lost: () => { gone = true; showStatus(); },
  back: async () => {
    gone = false;
    speedOf = "";
    const before = shown;
    await renew();
    if (shown === before) for (const s of shown) void s.load();
  },
});

view.on((keys) => {
  if (keys.has("run") || (keys.has("panel") && !report)) {
    build();
    if (keys.has("panel")) panelsBar.querySelector<HTMLElement>("[aria-current]")?.focus({ preventScroll: true });
  } else if (!report) {
    for (const [i, a] of [...panelsBar.querySelectorAll("a")].entries()) a.href = "#" + hashWith((panels[i] as Panel).id);
  }
});

// The address holds the view, so that this link must not change it.
document.querySelector(".skip")?.addEventListener("click", (e) => {
  e.preventDefault();
  main.focus();
});

void start();
