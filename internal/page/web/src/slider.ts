// A slider over the entries of a list, with play.

import { h } from "./dom";

export interface Slider {
  element: HTMLElement;
  /** set gives the list's labels anew and the entry to stand on. */
  set(labels: string[], at: number): void;
  close(): void;
}

/** slider calls change with the index of the entry that is chosen; play goes through all in about eight seconds. */
export function slider(name: string, change: (i: number) => void): Slider {
  let labels: string[] = [];
  let timer = 0;
  const input = h("input", { type: "range", min: "0", step: "1", value: "0", "aria-label": name, oninput: () => { stop(); go(Number(input.value)); } });
  const output = h("output", { class: "value" });
  const play = h("button", { type: "button", class: "play", onclick: () => (timer ? stop() : start()) });
  const label = h("span", { class: "name" }, name);
  const element = h("div", { class: "slider" }, play, label, input, output);
  show(0);
  stop();

  function show(i: number): void {
    input.value = String(i);
    const text = labels[i] ?? "–";
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }

  function go(i: number): void {
    show(i);
    change(i);
  }

  function start(): void {
    if (labels.length < 2) return;
    play.textContent = "❚❚";
    play.setAttribute("aria-label", `Pause ${name}`);
    if (Number(input.value) >= labels.length - 1) go(0);
    timer = window.setInterval(() => {
      const next = Number(input.value) + 1;
      if (next >= labels.length) return stop();
      go(next);
    }, Math.min(500, Math.max(80, 8000 / labels.length)));
  }

  function stop(): void {
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶";
    play.setAttribute("aria-label", `Play ${name}`);
  }

  return {
    element,
    set(next, at) {
      labels = next;
      input.max = String(Math.max(0, labels.length - 1));
      input.disabled = play.disabled = labels.length < 2;
      show(Math.min(Math.max(0, at), Math.max(0, labels.length - 1)));
    },
    close: stop,
  };
}
