// Asks the worker for a UMAP layout. In a report the worker's source is part of
// what was recorded; where there is none, there is no UMAP.

import { get, has, report } from "./data";
import type { Vectors } from "./neighbours";
import type { Progress, Work } from "./umap_worker";

export interface Layout {
  ids: number[];
  x: Float32Array;
  y: Float32Array;
}

export const umapPossible = !report || has("/worker.js");

/** umap lays vectors out; progress hears a share from 0 to 1, cancel ends it. */
export async function umap(v: Vectors, progress: (share: number) => void, cancel: AbortSignal): Promise<Layout> {
  const source = report ? await get<string>("/worker.js") : "";
  cancel.throwIfAborted(); // the vectors and the source may have taken long
  const url = report ? URL.createObjectURL(new Blob([source], { type: "text/javascript" })) : "/worker.js";
  const worker = new Worker(url);
  try {
    return await new Promise<Layout>((resolve, reject) => {
      cancel.addEventListener("abort", () => reject(new Error("UMAP was stopped.")));
      worker.onerror = (e) => reject(new Error(e.message || "The UMAP worker could not start."));
      worker.onmessage = ({ data }: MessageEvent<Progress>) => {
        if ("epoch" in data) progress(data.epoch / data.epochs);
        else resolve({ ids: v.ids, x: data.x, y: data.y });
      };
      const work: Work = { dim: v.dim, vectors: v.rows };
      worker.postMessage(work);
    });
  } finally {
    worker.terminate();
    if (report) URL.revokeObjectURL(url);
  }
}
