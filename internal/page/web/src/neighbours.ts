// The nearest tokens of a token: asked of the server, or found here where a
// report has recorded the vectors instead.

import type { Neighbours } from "./api";
import { getFloats, getOnce, has, report } from "./data";

export const vectorLimit = 4000;

export interface Vectors {
  dim: number;
  ids: number[];
  rows: Float32Array; // [ids, dim]
}

const loaded = new Map<string, Promise<Vectors>>();

/** vectors gives the embeddings of the first tokens of a run, as the server orders them. */
export function vectors(run: string): Promise<Vectors> {
  const base = `/api/runs/${run}/vectors`;
  let found = loaded.get(run);
  if (!found) {
    found = Promise.all([getOnce<{ dim: number; ids: number[] }>(`${base}.json?limit=${vectorLimit}`), getFloats(`${base}?limit=${vectorLimit}`)]).then(([about, rows]) => {
      if (rows.length !== about.dim * about.ids.length) throw new Error("The vectors do not fit their description.");
      return { ...about, rows };
    });
    loaded.set(run, found);
    found.catch(() => loaded.delete(run));
  }
  return found;
}

/** forgetVectors is called when the run has written new ones. */
export function forgetVectors(run: string): void {
  loaded.delete(run);
}

/** neighbours gives the ten nearest of a token as of the checkpoint of a step. */
export async function neighbours(run: string, step: number, token: number, text: (id: number) => string): Promise<Neighbours> {
  const path = `/api/runs/${run}/neighbours?token=${token}&k=10`;
  if (!report || has(path)) return getOnce<Neighbours>(path, step);
  const v = await vectors(run);
  const at = v.ids.indexOf(token);
  if (at < 0) throw new Error("The report has the vectors of the most frequent tokens only.");
  const row = (i: number) => v.rows.subarray(i * v.dim, (i + 1) * v.dim);
  const mine = row(at);
  const length = (r: Float32Array) => Math.sqrt(dot(r, r)) || 1;
  const all = v.ids.map((id, i) => ({ id, text: text(id), cosine: dot(mine, row(i)) / (length(mine) * length(row(i))) }));
  all.splice(at, 1);
  all.sort((a, b) => b.cosine - a.cosine);
  return { id: token, neighbours: all.slice(0, 10) };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
