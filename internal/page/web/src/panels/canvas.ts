// The canvas: what the run wrote at each of its checkpoints, sharpening from
// noise to text, and a box in which to let it write.

import type { Frame, Sample, Samples, WriteRequest } from "../api";
import { get, getOnce, has, report, write } from "../data";
import { choice, field, h, save } from "../dom";
import { saveJSON, type Context, type Mounted, type Panel } from "../panel";
import { sharpening } from "../sharpening";
import { slider } from "../slider";
import { count } from "../text";
import { view } from "../view";
import { closest } from "./warp";

export const canvas: Panel = {
  id: "canvas",
  name: "Canvas",
  title: "How a text sharpens from noise",
  of: ["samples"],
  mount,
};

function mount(body: HTMLElement, context: Context): Mounted {
  const { run } = context;
  const base = `/api/runs/${run.id}/samples`;
  let steps: number[] = [];
  let showing: Sample | null = null;
  let asked = 0;
  const about = h("p", { class: "about" });
  const recorded = sharpening((i) => view.set({ frame: i }));
  const steer = slider("Training step", (i) => view.set({ sample: i === steps.length - 1 ? null : (steps[i] ?? null) }));
  const left = h("section", { class: "box" }, h("h3", {}, "Written while it trained"), about, h("div", { class: "bar" }, steer.element), recorded.element);
  const writer = report ? null : writing(run);
  body.append(h("div", { class: "charts halves" }, left, writer?.element ?? ""));
  const offView = view.on((keys) => {
    if (keys.has("sample")) void choose();
    else if (keys.has("frame") && showing) recorded.set(showing.frames, view.number("frame"));
  });

  async function choose(): Promise<void> {
    const at = closest(steps, view.number("sample"));
    steer.set(steps.map(count), at);
    const step = steps[at];
    const turn = ++asked;
    if (step === undefined) {
      about.textContent = "The run has not written a sample yet (run.sample_every).";
      recorded.element.hidden = true;
      return;
    }
    const sample = await getOnce<Sample>(`${base}/${step}`);
    if (turn !== asked) return;
    showing = sample;
    recorded.element.hidden = false;
    recorded.set(sample.frames, view.number("frame"));
  }

  return {
    async load() {
      const samples = await get<Samples>(base);
      steps = samples.steps.filter((s) => has(`${base}/${s}`));
      about.textContent = `The same noise each time: seed ${samples.seed}, temperature ${samples.temperature}.`;
      await choose();
    },
    downloads() {
      if (!showing) return [];
      const sample = showing;
      const name = `sample-${sample.step}`;
      return [
        { name: "JSON", make: async () => saveJSON(name, sample) },
        { name: "CSV", make: async () => save(name + ".csv", "text/csv", table(sample)) },
        { name: "TXT", make: async () => save(name + ".txt", "text/plain;charset=utf-8", sample.text) },
      ];
    },
    close() {
      offView();
      steer.close();
      recorded.close();
      writer?.close();
    },
  };
}

const modes = [
  { value: "free", label: "from nothing" },
  { value: "prompt", label: "after a beginning" },
  { value: "infill", label: "into holes [MASK:n]" },
];

const hints: Record<string, string> = {
  free: "Nothing is given: the text is not used.",
  prompt: "The text stays, and is continued.",
  infill: "What is around the holes stays. [MASK:8] is a hole of 8 tokens, [MASK:4-12] one of a length in the middle, about 8.",
};

// writing is the box in which the reader lets the run write.
function writing(run: { id: string; length: number }): { element: HTMLElement; close(): void } {
  const result = sharpening(() => undefined);
  result.element.hidden = true;
  const text = h("textarea", { rows: 3, spellcheck: false, "aria-label": "Text", placeholder: "Type a beginning, or a text with holes such as: My lord, [MASK:8] the crown." });
  text.value = view.get("text") ?? "";
  const hint = h("p", { class: "quiet" });
  let mode = modes.some((m) => m.value === view.get("mode")) ? (view.get("mode") as WriteRequest["mode"]) : "free";
  const modeBox = choice("Write", modes, mode, (v) => setMode(v as WriteRequest["mode"]));
  const setting = (name: string, usual: number, min: number, max: number, step: number) =>
    field(name, view.number(name) ?? usual, min, max, step, (v) => view.set({ [name]: v === usual ? null : v }));
  const fields = {
    steps: setting("steps", 50, 2, 1000, 1),
    temperature: setting("temperature", 0.8, 0, 2, 0.05),
    guidance: setting("guidance", 1, 0, 10, 0.1),
    length: setting("length", run.length, 2, run.length, 1),
    seed: setting("seed", 1, 0, 2 ** 31, 1),
  };
  const go = h("button", { type: "submit", class: "go" }, "Write");
  const stop = h("button", { type: "button", disabled: true, onclick: () => abort?.abort() }, "Stop");
  const said = h("p", { class: "quiet value", role: "status" });
  let abort: AbortController | null = null;

  const form = h("form", { class: "write", onsubmit: (e: Event) => { e.preventDefault(); void start(); } }, modeBox, text, hint, h("div", { class: "bar" }, ...Object.values(fields).map((f) => f.element)), h("div", { class: "bar" }, go, stop, said));
  text.addEventListener("input", () => {
    if (text.value.includes("[MASK")) setMode("infill");
    else if (mode === "free" && text.value !== "") setMode("prompt");
  });
  text.addEventListener("change", () => view.set({ text: text.value || null }));
  setMode(mode);

  function setMode(next: WriteRequest["mode"]): void {
    mode = next;
    (modeBox.querySelector("select") as HTMLSelectElement).value = next;
    hint.textContent = hints[next] ?? "";
    view.set({ mode: next === "free" ? null : next });
  }

  async function start(): Promise<void> {
    abort?.abort();
    const mine = (abort = new AbortController());
    const frames: Frame[] = [];
    go.disabled = true;
    stop.disabled = false;
    said.className = "quiet value";
    said.textContent = "writing…";
    // Frames may come faster than the screen is drawn.
    let due = 0;
    const draw = () => {
      due = 0;
      result.element.hidden = false;
      result.set(frames, null);
      const f = frames.at(-1);
      if (f) said.textContent = `step ${f.step} of ${f.steps}`;
    };
    try {
      const body: WriteRequest = { text: mode === "free" ? "" : text.value, mode, length: fields.length.value(), steps: fields.steps.value(), temperature: fields.temperature.value(), guidance: fields.guidance.value(), seed: fields.seed.value() };
      const end = await write(run.id, body, mine.signal, (f) => {
        frames.push(f);
        due ||= requestAnimationFrame(draw);
      });
      cancelAnimationFrame(due);
      if (frames.length > 0) draw();
      said.textContent = `done${end.calls ? `, ${count(end.calls)} calls of the network` : ""}`;
    } catch (error) {
      cancelAnimationFrame(due);
      if (mine.signal.aborted) {
        said.textContent = "stopped";
      } else {
        said.className = "problem";
        said.textContent = (error as Error).message;
      }
    } finally {
      go.disabled = false;
      stop.disabled = true;
    }
  }

  return {
    element: h("section", { class: "box" }, h("h3", {}, "Let it write"), form, result.element),
    close() {
      abort?.abort();
      result.close();
    },
  };
}

// table is the sample as CSV: a line for each moment and position.
function table(sample: Sample): string {
  const quote = (s: string) => `"${s.replaceAll('"', '""')}"`;
  const lines = ["sampler_step,t,position,token,confidence"];
  for (const f of sample.frames) f.tokens.forEach((token, i) => lines.push(`${f.step},${f.t ?? ""},${i},${quote(token)},${f.p?.[i] ?? ""}`));
  return lines.join("\n") + "\n";
}
