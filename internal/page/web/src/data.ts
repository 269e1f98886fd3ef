// Where answers come from: first what a report has recorded, then the server.

import type { Change, Frame, WriteEnd, WriteRequest } from "./api";

const recorded = readRecorded();

/** report says that this page is a file with its data inside: nothing is live. */
export const report = recorded !== null;

function readRecorded(): Map<string, unknown> | null {
  const element = document.getElementById("recorded");
  if (!element) return null;
  return new Map(Object.entries(JSON.parse(element.textContent ?? "{}") as Record<string, unknown>));
}

/** has says whether path can be asked for at all. */
export function has(path: string): boolean {
  return recorded === null || recorded.has(path);
}

const cache = new Map<string, unknown>();
const cacheSize = 64;

/** get gives the answer to path, or throws an Error with one plain line. */
export async function get<T>(path: string): Promise<T> {
  if (recorded) {
    if (!recorded.has(path)) throw new Error("This is not part of the report.");
    return recorded.get(path) as T;
  }
  const answer = await ask(path);
  return (await answer.json()) as T;
}

/** getOnce is get for what never changes: a snapshot, a sample, neighbours at a step. */
export async function getOnce<T>(path: string, step?: number): Promise<T> {
  const key = `${path} ${step}`;
  const known = cache.get(key);
  if (known !== undefined) return known as T;
  const answer = await get<T>(path);
  cache.set(key, answer);
  if (cache.size > cacheSize) cache.delete(cache.keys().next().value as string);
  return answer;
}

/** getFloats gives little-endian float32 values; a report holds them as base64. */
export async function getFloats(path: string): Promise<Float32Array> {
  let bytes: ArrayBuffer;
  if (recorded) {
    const text = atob(await get<string>(path));
    bytes = Uint8Array.from(text, (c) => c.charCodeAt(0)).buffer;
  } else {
    bytes = await (await ask(path)).arrayBuffer();
  }
  const view = new DataView(bytes);
  return Float32Array.from({ length: bytes.byteLength >> 2 }, (_, i) => view.getFloat32(4 * i, true));
}

async function ask(path: string, init?: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { cache: "no-store", ...init });
  } catch (cause) {
    if (init?.signal?.aborted) throw cause;
    throw new Error("The server does not answer. Is inspect serve still running?");
  }
  if (!answer.ok) throw new Error(await problemOf(answer));
  return answer;
}

async function problemOf(answer: Response): Promise<string> {
  try {
    const { error } = (await answer.json()) as { error?: string };
    if (error) return error;
  } catch {
    // Not JSON: the status has to do.
  }
  return `The server answers ${answer.status}.`;
}

/** write lets the model write and hands over each frame as it arrives. */
export async function write(run: string, body: WriteRequest, signal: AbortSignal, frame: (f: Frame) => void): Promise<WriteEnd> {
  const answer = await ask(`/api/runs/${run}/write`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) throw new Error("The server's answer is empty.");
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += value ?? "";
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.trim() === "") continue;
      const part = JSON.parse(line) as Frame & WriteEnd;
      if (part.error) throw new Error(part.error);
      if (part.done) return part;
      frame(part);
    }
    if (done) throw new Error("The server stopped in the middle.");
  }
}

export interface Listener {
  change(c: Change): void;
  lost(): void;
  back(): void; // after events were missed
}

/**
 * listen follows the server's events; the browser itself tries again. A page that
 * is not seen does not listen: browsers open six connections to a server, for all
 * tabs together, and this would keep one of them.
 */
export function listen(to: Listener): void {
  if (report) return;
  let events: EventSource | null = null;
  let missed = false;
  const follow = () => {
    events?.close();
    if (document.hidden) {
      missed = true;
      return;
    }
    events = new EventSource("/api/events");
    events.addEventListener("message", (e) => to.change(JSON.parse(String(e.data)) as Change));
    events.addEventListener("error", () => {
      missed = true;
      to.lost();
    });
    events.addEventListener("open", () => {
      if (missed) to.back();
      missed = false;
    });
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}
