// Where an axis has its values: round numbers on a line, 1-2-5 on a logarithm.

/** linear gives round values in [min, max], about one each space pixels. */
export function linear(min: number, max: number, pixels: number, space: number): number[] {
  const wanted = Math.max(1, Math.floor(pixels / space));
  const raw = (max - min) / wanted;
  if (!(raw > 0) || !Number.isFinite(raw)) return [min];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * (1 - 1e-9)) ?? 10 * power;
  const first = Math.ceil(min / step - 1e-9);
  const last = Math.floor(max / step + 1e-9);
  return Array.from({ length: Math.min(100, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** logarithmic gives 1-2-5 values, or powers of ten alone where those are too many. */
export function logarithmic(min: number, max: number, pixels: number, space: number): number[] {
  const wanted = Math.max(2, Math.floor(pixels / space));
  const decades = Math.log10(max / min);
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  if (decades < 0.7) return linear(min, max, pixels, space);
  for (const multiples of [[1, 2, 5], [1, 3], [1]]) {
    if (multiples.length > 1 && decades * multiples.length > wanted) continue;
    const every = multiples.length > 1 ? 1 : Math.max(1, Math.ceil(decades / wanted));
    const ticks: number[] = [];
    for (let e = from; e <= to; e++) {
      if (e % every !== 0) continue;
      for (const m of multiples) {
        const v = Number((m * 10 ** e).toPrecision(12));
        if (v >= min * (1 - 1e-9) && v <= max * (1 + 1e-9)) ticks.push(v);
      }
    }
    if (ticks.length > 0) return ticks;
  }
  return [min];
}
