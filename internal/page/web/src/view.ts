// What is being looked at, kept in the address so that it can be reopened:
// #panel=warp&run=0&step=1200. A key that has its default is left out.

type Listener = (changed: Set<string>) => void;

let values = read();
const listeners = new Set<Listener>();

function read(): Map<string, string> {
  return new Map(new URLSearchParams(location.hash.slice(1)));
}

function write(): void {
  const query = new URLSearchParams([...values].sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  history.replaceState(null, "", query === "" ? location.pathname + location.search : "#" + query);
}

window.addEventListener("hashchange", () => {
  const before = values;
  values = read();
  const changed = new Set<string>();
  for (const key of new Set([...before.keys(), ...values.keys()])) {
    if (before.get(key) !== values.get(key)) changed.add(key);
  }
  if (changed.size > 0) for (const listener of [...listeners]) listener(changed);
});

export const view = {
  get(key: string): string | null {
    return values.get(key) ?? null;
  },
  number(key: string): number | null {
    const text = values.get(key);
    const number = text === undefined || text === "" ? NaN : Number(text);
    return Number.isFinite(number) ? number : null;
  },
  /** set changes keys; null takes one out. */
  set(change: Record<string, string | number | null>): void {
    const changed = new Set<string>();
    for (const [key, value] of Object.entries(change)) {
      const text = value === null ? undefined : String(value);
      if (values.get(key) === text) continue;
      changed.add(key);
      if (text === undefined) values.delete(key);
      else values.set(key, text);
    }
    if (changed.size === 0) return;
    write();
    for (const listener of [...listeners]) listener(changed);
  },
  /** on calls listener after each change, until the function it gives is called. */
  on(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
