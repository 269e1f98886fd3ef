// Okabe and Ito's palette for kinds, viridis for amounts: both can be told
// apart by eyes that do not see all colours.

const onLight = ["#0072b2", "#d55e00", "#009e73", "#b4578c", "#555555", "#2f8fc4", "#b87400"];
const onDark = ["#56b4e9", "#e69f00", "#00b987", "#cc79a7", "#bbbbbb", "#f0e442", "#ee7d3b"];

const ramp: [number, number, number][] = [
  [68, 1, 84], [72, 36, 117], [65, 68, 135], [53, 95, 141], [42, 120, 142], [33, 145, 140],
  [34, 168, 132], [68, 191, 112], [122, 209, 81], [189, 223, 38], [253, 231, 37],
];

const scheme = matchMedia("(prefers-color-scheme: dark)");
let printing = false;
const listeners = new Set<() => void>();
const announce = () => listeners.forEach((l) => l());

scheme.addEventListener("change", announce);
window.addEventListener("beforeprint", () => setPrinting(true));
window.addEventListener("afterprint", () => setPrinting(false));

function setPrinting(now: boolean): void {
  printing = now;
  document.documentElement.classList.toggle("printing", now);
  announce();
}

/** onTheme calls listener when the colours change, until its result is called. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function dark(): boolean {
  return scheme.matches && !printing;
}

/** kind is the colour of the i-th series. */
export function kind(i: number): string {
  const palette = dark() ? onDark : onLight;
  return palette[i % palette.length] as string;
}

/** viridis at v in [0, 1]. */
export function viridis(v: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, v)) * (ramp.length - 1);
  const i = Math.min(Math.floor(at), ramp.length - 2);
  const [a, b] = [ramp[i], ramp[i + 1]] as [[number, number, number], [number, number, number]];
  const mix = (k: 0 | 1 | 2) => Math.round(a[k] + (b[k] - a[k]) * (at - i));
  return [mix(0), mix(1), mix(2)];
}

/** amount is viridis cut so that both ends can be seen on the page's ground. */
export function amount(v: number): string {
  const [r, g, b] = viridis(dark() ? 0.22 + 0.78 * v : 0.85 * v);
  return `rgb(${r} ${g} ${b})`;
}

/** css reads a colour of the style sheet. */
export function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
