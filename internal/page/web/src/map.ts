// A map of points, drawn by writing pixels: 50,000 of them cost a few
// milliseconds, without a graphics card. A grid finds the one under the cursor.

import { css, dark, onTheme, viridis } from "./colour";
import { h } from "./dom";

export interface Points {
  ids: Int32Array | number[]; // token of each point
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  value: ArrayLike<number>; // in [0, 1], becomes the colour
}

export interface PointMap {
  element: HTMLElement;
  set(points: Points, fit: boolean): void;
  recolour(value: ArrayLike<number>): void;
  /** select rings points by token: the first one strongly. */
  select(ids: number[], matches: number[]): void;
  close(): void;
}

const cells = 128; // a side of the grid

/** pointMap calls hover and choose with a token, or null for none. */
export function pointMap(text: (id: number) => string, hover: (id: number | null) => void, choose: (id: number) => void): PointMap {
  const canvas = h("canvas", { tabIndex: 0, role: "application", "aria-label": "Map of tokens. Arrow keys move it, plus and minus zoom, 0 shows all of it. Search finds tokens by name." });
  const element = h("div", { class: "map" }, canvas);
  const context = canvas.getContext("2d", { alpha: false });
  let points: Points = { ids: [], x: [], y: [], value: [] };
  let place = new Map<number, number>();
  let pixels: ImageData | null = null;
  let words = new Uint32Array(0);
  let colours = new Uint32Array(0);
  let [minX, minY, spanX, spanY] = [0, 0, 1, 1];
  let [scale, moveX, moveY] = [1, 0, 0]; // screen = data * scale + move, in pixels
  let [starts, members] = [new Int32Array(0), new Int32Array(0)];
  let chosen: number[] = [];
  let matches: number[] = [];
  let under: number | null = null;
  let due = 0;

  function order(): void {
    const n = points.ids.length;
    place = new Map();
    let [maxX, maxY] = [-Infinity, -Infinity];
    [minX, minY] = [Infinity, Infinity];
    for (let i = 0; i < n; i++) {
      place.set(points.ids[i] as number, i);
      const [x, y] = [points.x[i] as number, points.y[i] as number];
      minX = Math.min(minX, x); maxX = Math.max(maxX, x);
      minY = Math.min(minY, y); maxY = Math.max(maxY, y);
    }
    if (n === 0) [minX, minY, maxX, maxY] = [0, 0, 1, 1];
    spanX = maxX - minX || 1;
    spanY = maxY - minY || 1;
    // The members of each cell in a row, by counting.
    starts = new Int32Array(cells * cells + 1);
    const cellOf = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      const c = cell(points.x[i] as number, points.y[i] as number);
      cellOf[i] = c;
      starts[c + 1] = (starts[c + 1] as number) + 1;
    }
    for (let c = 0; c < cells * cells; c++) starts[c + 1] = (starts[c + 1] as number) + (starts[c] as number);
    const next = starts.slice();
    members = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      const c = cellOf[i] as number;
      members[next[c] as number] = i;
      next[c] = (next[c] as number) + 1;
    }
  }

  const clamp = (v: number) => Math.min(cells - 1, Math.max(0, v));
  const column = (x: number) => clamp(Math.floor(((x - minX) / spanX) * cells));
  const line = (y: number) => clamp(Math.floor(((y - minY) / spanY) * cells));
  const cell = (x: number, y: number) => line(y) * cells + column(x);

  function paintColours(): void {
    const n = points.ids.length;
    colours = new Uint32Array(n);
    const table = new Uint32Array(256);
    for (let k = 0; k < 256; k++) {
      const v = k / 255;
      const [r, g, b] = viridis(dark() ? 0.2 + 0.8 * v : 0.9 * v);
      table[k] = 0xff000000 | (b << 16) | (g << 8) | r;
    }
    for (let i = 0; i < n; i++) colours[i] = table[Math.round(255 * Math.min(1, Math.max(0, points.value[i] ?? 0)))] as number;
  }

  function fit(): void {
    const margin = 24 * devicePixelRatio;
    scale = Math.min((canvas.width - 2 * margin) / spanX, (canvas.height - 2 * margin) / spanY);
    moveX = canvas.width / 2 - (minX + spanX / 2) * scale;
    moveY = canvas.height / 2 - (minY + spanY / 2) * scale;
  }

  function ask(): void {
    due ||= requestAnimationFrame(draw);
  }

  function draw(): void {
    due = 0;
    const [width, height] = [canvas.width, canvas.height];
    if (!context || width === 0) return;
    if (!pixels || pixels.width !== width || pixels.height !== height) {
      pixels = context.createImageData(width, height);
      words = new Uint32Array(pixels.data.buffer);
    }
    words.fill(ground());
    const n = points.ids.length;
    const zoom = (scale * spanX) / width;
    const size = Math.round((n > 20_000 ? 2 : n > 2000 ? 3 : 5) * Math.min(2, Math.max(1, Math.sqrt(zoom))) * devicePixelRatio);
    const half = size >> 1;
    let inView = 0;
    for (let i = 0; i < n; i++) {
      const x = ((points.x[i] as number) * scale + moveX - half) | 0;
      const y = ((points.y[i] as number) * scale + moveY - half) | 0;
      if (x < 0 || y < 0 || x + size >= width || y + size >= height) continue;
      inView++;
      const colour = colours[i] as number;
      for (let v = 0, at = y * width + x; v < size; v++, at += width) {
        for (let u = 0; u < size; u++) words[at + u] = colour;
      }
    }
    context.putImageData(pixels, 0, 0);
    if (inView <= 400) names();
    rings();
  }

  function ground(): number {
    const found = /(\d+)\D+(\d+)\D+(\d+)/.exec(css("--ground")) ?? ["", "255", "255", "255"];
    return 0xff000000 | (Number(found[3]) << 16) | (Number(found[2]) << 8) | Number(found[1]);
  }

  const at = (i: number): [number, number] => [(points.x[i] as number) * scale + moveX, (points.y[i] as number) * scale + moveY];
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < canvas.width && y < canvas.height;

  // names writes the tokens beside their points, the first that find room.
  function names(): void {
    if (!context) return;
    const size = 11 * devicePixelRatio;
    context.font = `${size}px ui-monospace, monospace`;
    context.fillStyle = css("--quiet");
    const taken = new Set<string>();
    for (let i = 0; i < points.ids.length; i++) {
      const [x, y] = at(i);
      if (!inside(x, y)) continue;
      const spot = `${Math.round(x / (5 * size))},${Math.round(y / (1.4 * size))}`;
      if (taken.has(spot)) continue;
      taken.add(spot);
      context.fillText(text(points.ids[i] as number), x + size / 2, y + size / 3);
    }
  }

  function rings(): void {
    if (!context) return;
    const ratio = devicePixelRatio;
    const ring = (id: number, radius: number, width: number, colour: string, named: boolean) => {
      const i = place.get(id);
      if (i === undefined) return;
      const [x, y] = at(i);
      context.strokeStyle = colour;
      context.lineWidth = width * ratio;
      context.beginPath();
      context.arc(x, y, radius * ratio, 0, 2 * Math.PI);
      context.stroke();
      if (!named) return;
      context.font = `600 ${12 * ratio}px ui-monospace, monospace`;
      context.lineWidth = 3 * ratio;
      context.strokeStyle = css("--panel");
      context.strokeText(text(id), x + (radius + 3) * ratio, y + 4 * ratio);
      context.fillStyle = css("--text");
      context.fillText(text(id), x + (radius + 3) * ratio, y + 4 * ratio);
    };
    for (const id of matches.slice(0, 500)) ring(id, 4, 1, css("--second"), false);
    chosen.slice(1).forEach((id) => ring(id, 5, 1.5, css("--second"), true));
    const first = chosen[0];
    if (first !== undefined) ring(first, 8, 2.5, css("--text"), true);
    if (under !== null && under !== first) ring(under, 7, 1.5, css("--text"), true);
  }

  // find gives the token nearest to a place on the screen, within some pixels.
  function find(sx: number, sy: number): number | null {
    const reach = 12 * devicePixelRatio;
    const [x, y] = [(sx - moveX) / scale, (sy - moveY) / scale];
    const r = reach / scale;
    if (x + r < minX || y + r < minY || x - r > minX + spanX || y - r > minY + spanY) return null;
    let [best, bestDistance] = [-1, r * r];
    const [left, right, top, bottom] = [column(x - r), column(x + r), line(y - r), line(y + r)];
    for (let cy = top; cy <= bottom; cy++) {
      for (let cx = left; cx <= right; cx++) {
        const c = cy * cells + cx;
        for (let k = starts[c] as number; k < (starts[c + 1] as number); k++) {
          const i = members[k] as number;
          const [dx, dy] = [(points.x[i] as number) - x, (points.y[i] as number) - y];
          const d = dx * dx + dy * dy;
          if (d < bestDistance) [best, bestDistance] = [i, d];
        }
      }
    }
    return best < 0 ? null : (points.ids[best] as number);
  }

  const where = (e: MouseEvent): [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [(e.clientX - box.left) * devicePixelRatio, (e.clientY - box.top) * devicePixelRatio];
  };

  function zoomAt(x: number, y: number, by: number): void {
    const next = Math.min(1e6, Math.max(1e-6, scale * by));
    moveX = x - ((x - moveX) * next) / scale;
    moveY = y - ((y - moveY) * next) / scale;
    scale = next;
    ask();
  }

  let from: [number, number] | null = null;
  let dragged = false;
  canvas.addEventListener("pointerdown", (e) => {
    from = where(e);
    dragged = false;
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener("pointermove", (e) => {
    const [x, y] = where(e);
    if (from) {
      if (Math.hypot(x - from[0], y - from[1]) > 3) dragged = true;
      if (!dragged) return;
      moveX += x - from[0];
      moveY += y - from[1];
      from = [x, y];
      ask();
      return;
    }
    const found = find(x, y);
    canvas.style.cursor = found === null ? "grab" : "pointer";
    if (found === under) return;
    under = found;
    hover(found);
    ask();
  });
  canvas.addEventListener("pointerup", (e) => {
    from = null;
    if (dragged) return;
    const found = find(...where(e));
    if (found !== null) choose(found);
  });
  canvas.addEventListener("pointerleave", () => {
    if (under === null) return;
    under = null;
    hover(null);
    ask();
  });
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    zoomAt(...where(e), Math.exp(-e.deltaY / 300));
  }, { passive: false });
  canvas.addEventListener("keydown", (e) => {
    const step = canvas.width / 12;
    const moves: Record<string, [number, number]> = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const move = moves[e.key];
    if (move) { moveX += move[0]; moveY += move[1]; }
    else if (e.key === "+" || e.key === "=") zoomAt(canvas.width / 2, canvas.height / 2, 1.3);
    else if (e.key === "-") zoomAt(canvas.width / 2, canvas.height / 2, 1 / 1.3);
    else if (e.key === "0") fit();
    else return;
    e.preventDefault();
    ask();
  });

  const observer = new ResizeObserver(() => {
    const [width, height] = [Math.round(element.clientWidth * devicePixelRatio), Math.round(element.clientHeight * devicePixelRatio)];
    if (width === 0 || (width === canvas.width && height === canvas.height)) return;
    canvas.width = width;
    canvas.height = height;
    fit();
    draw(); // at once: a resized canvas is empty
  });
  observer.observe(element);
  const offTheme = onTheme(() => {
    paintColours();
    draw();
  });

  return {
    element,
    set(next, again) {
      points = next;
      order();
      paintColours();
      if (again) fit();
      ask();
    },
    recolour(value) {
      points = { ...points, value };
      paintColours();
      ask();
    },
    select(ids, found) {
      chosen = ids;
      matches = found;
      ask();
    },
    close() {
      observer.disconnect();
      offTheme();
      cancelAnimationFrame(due);
    },
  };
}
