// UMAP away from the page, so that it stays quick: vectors in, places out.

import { UMAP } from "umap-js";

export interface Work {
  dim: number;
  vectors: Float32Array; // a row a token, of length dim
}

export type Progress = { epoch: number; epochs: number } | { x: Float32Array; y: Float32Array };

const worker = self as unknown as { postMessage(m: Progress): void; onmessage: ((e: MessageEvent<Work>) => void) | null };

// generator gives the same numbers each time (mulberry32).
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function cosineDistance(a: number[], b: number[]): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return 1 - dot / (Math.sqrt(aa * bb) || 1);
}

worker.onmessage = ({ data }) => {
  const n = data.vectors.length / data.dim;
  const rows = Array.from({ length: n }, (_, i) => Array.from(data.vectors.subarray(i * data.dim, (i + 1) * data.dim)));
  const epochs = n > 2000 ? 200 : 300;
  const umap = new UMAP({ nNeighbors: Math.max(2, Math.min(15, n - 1)), minDist: 0.1, nEpochs: epochs, random: generator(1), distanceFn: cosineDistance });
  umap.initializeFit(rows);
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    if (epoch % 5 === 0) worker.postMessage({ epoch, epochs });
  }
  const places = umap.getEmbedding();
  worker.postMessage({ x: Float32Array.from(places, (p) => p[0] ?? 0), y: Float32Array.from(places, (p) => p[1] ?? 0) });
};
