// Making elements. Text goes in as text, never as HTML.

type Child = Node | string | null | undefined | false;
type Props = { [name: string]: unknown };

/** h makes an element: properties, on… handlers, aria-… and data-… attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on") && typeof value === "function") {
      element.addEventListener(name.slice(2), value as EventListener);
    } else if (name === "class") {
      element.className = String(value);
    } else if (name.includes("-") || name === "role" || name === "for" || name === "scope" || name === "colspan") {
      element.setAttribute(name, String(value));
    } else {
      (element as unknown as Props)[name] = value;
    }
  }
  put(element, ...children);
  return element;
}

function put(element: Element, ...children: Child[]): void {
  for (const child of children) if (child) element.append(child);
}

/** fill replaces what is in element. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  put(element, ...children);
}

export interface Option {
  value: string;
  label: string;
}

/** choice is a labelled select. */
export function choice(label: string, options: Option[], value: string, change: (value: string) => void): HTMLLabelElement {
  const select = h(
    "select",
    { onchange: () => change(select.value) },
    ...options.map((o) => h("option", { value: o.value, selected: o.value === value }, o.label)),
  );
  return h("label", { class: "choice" }, h("span", {}, label), select);
}

/** field is a labelled number. */
export function field(label: string, value: number, min: number, max: number, step: number, change: (value: number) => void): { element: HTMLLabelElement; value: () => number } {
  const input = h("input", { type: "number", min: String(min), max: String(max), step: String(step), value: String(value), inputMode: "decimal", onchange: () => change(now()) });
  const now = () => (input.value === "" || !Number.isFinite(input.valueAsNumber) ? value : input.valueAsNumber);
  return { element: h("label", { class: "choice" }, h("span", {}, label), input), value: now };
}

/** save hands a file to the reader of the page. */
export function save(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const a = h("a", { href: url, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export interface Column {
  name: string;
  values: (string | number | null | undefined)[];
}

const rowsShown = 200;

/** table is the details element behind a chart; rows are made when it is opened. */
export function table(summary: string, columns: () => Column[]): { element: HTMLDetailsElement; refresh: () => void } {
  const body = h("div", { class: "table", tabIndex: 0, role: "region", "aria-label": summary });
  const element = h("details", { class: "behind", ontoggle: () => refresh() }, h("summary", {}, summary), body);
  const refresh = () => {
    if (!element.open) return;
    const made = columns();
    const rows = Math.max(0, ...made.map((c) => c.values.length));
    const every = Math.max(1, Math.ceil(rows / rowsShown));
    const lines: HTMLTableRowElement[] = [];
    for (let i = 0; i < rows; i += every) {
      lines.push(h("tr", {}, ...made.map((c) => cell(c.values[i]))));
    }
    fill(
      body,
      h("table", {}, h("thead", {}, h("tr", {}, ...made.map((c) => h("th", { scope: "col" }, c.name)))), h("tbody", {}, ...lines)),
      every > 1 && h("p", { class: "quiet" }, `Every ${every}th of ${rows} rows; the downloads have them all.`),
    );
  };
  return { element, refresh };
}

function cell(value: string | number | null | undefined): HTMLTableCellElement {
  if (value === null || value === undefined) return h("td", {}, "–");
  if (typeof value === "string") return h("td", { class: "words" }, value);
  return h("td", {}, Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5))));
}
