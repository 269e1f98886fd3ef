// Tokens and texts come from strangers. They are shown with textContent only,
// and what could hide or turn other text is spelled out.

// Control and format characters (bidi marks, zero widths, tags), separators of
// lines and paragraphs, lone surrogates, private and unassigned code points.
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;
const marksFirst = /^\p{M}/u;
const tooManyMarks = /(\p{M}{3})\p{M}+/gu;

function spell(c: string): string {
  if (c === "\n") return "⏎";
  if (c === "\t") return "⇥";
  const code = c.codePointAt(0) ?? 0;
  return "⟨" + code.toString(16).toUpperCase().padStart(4, "0") + "⟩";
}

/** visible spells out what a browser would act upon or not show at all. */
export function visible(text: string): string {
  const plain = text.replace(hidden, spell).replace(tooManyMarks, "$1…");
  return marksFirst.test(plain) ? "◌" + plain : plain;
}

/** running is visible for text of many lines: line breaks stay line breaks. */
export function running(text: string): string {
  return text.split("\n").map(visible).join("\n");
}

/** label is a token in a list: spaces can be seen too, and it has an end. */
export function label(token: string, length = 40): string {
  const points = Array.from(token);
  const short = points.length > length ? points.slice(0, length).join("") + "…" : token;
  const text = visible(short).replaceAll(" ", "␣").replaceAll("\u00a0", "⟨00A0⟩");
  return text === "" ? "⟨empty⟩" : text;
}

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** count writes a whole number with separators. */
export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? "–" : whole.format(n);
}

/** short writes a number with about digits significant ones. */
export function short(n: number | null | undefined, digits = 4): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return "–";
  if (n === 0) return "0";
  const size = Math.abs(n);
  if (size >= 1e6 || size < 1e-3) return n.toExponential(Math.max(0, digits - 2)).replace("e+", "e");
  if (Number.isInteger(n)) return whole.format(n);
  if (size >= 1000) return whole.format(n);
  return n.toPrecision(digits);
}

/** brief is short without the zeros at its end. */
export function brief(n: number): string {
  return String(Number(n.toPrecision(4)));
}

const units: [number, string][] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** tick writes an axis value: 1.2k, 0.05, 1e-5. */
export function tick(n: number): string {
  const size = Math.abs(n);
  if (n === 0) return "0";
  for (const [unit, name] of units) if (size >= unit) return trim(n / unit) + name;
  if (size < 1e-4) return n.toExponential(1).replace(".0e", "e").replace("-", "−");
  return trim(n);
}

function trim(n: number): string {
  return String(Number(n.toPrecision(4))).replace("-", "−");
}

/** bytes writes a size in decimal units. */
export function bytes(n: number): string {
  return n < 1000 ? `${n} B` : tick(n).replace(/([kMGT])$/, " $1B");
}

/** duration writes seconds as h:mm:ss or m:ss. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}
