// The answers of the server, as it gives them. Series are columns; a number
// that is not finite or not known is null.

export type Num = number | null;

export interface Run {
  id: string;
  name: string;
  path: string;
  objective: "cdcd" | "ar";
  state: "training" | "stopped" | "finished";
  step: number;
  steps: number;
  tokens: number;
  length: number;
  vocab: number;
  dim: number;
  parameters: number;
  tokenizer: string;
  problem: string; // "" if there is none
}

export interface Runs {
  schema: number;
  version: string;
  runs: Run[];
  shards: boolean;
}

export interface Curves {
  step: number;
  training: { step: number[]; tokens: Num[]; loss: Num[]; loss_min: Num[]; loss_max: Num[]; grad_norm: Num[]; lr: Num[]; skipped: Num[] };
  speed: { step: number[]; tokens_per_second: Num[]; gflops: Num[]; seconds: Num[] };
  evaluations: { step: number[]; t?: number[]; ce?: Num[][]; se?: Num[][]; nats?: Num[]; std_err?: Num[]; after_first?: Num[] };
}

export interface Snapshot {
  step: number;
  warp: {
    kind: string;
    t_min: number;
    t_max: number;
    t: number[];
    cdf: number[];
    density: number[]; // per unit of t
    loss?: number[];
    quantiles: { u: number; t: number }[];
    observed: { t_lo: number; t_hi: number; t: number; loss: number; loss_se: number; effective: number }[];
  };
}

export interface Warp {
  kind: string;
  t_min: number;
  t_max: number;
  steps: number[];
  quantiles: { u: number[]; t: Num[][] };
  schedules: { name: string; t: number[]; cdf: number[]; density: number[] }[]; // density per unit of ln t
  newest: Snapshot | null;
}

export interface TokenClass {
  group: string;
  name: string;
  tokens: number;
  ce: Num[];
  se: Num[];
}

export interface Evaluation {
  step: number;
  t: number[];
  ce: Num[];
  se: Num[];
  classes?: TokenClass[] | null;
}

export interface Evaluations {
  evaluations: Evaluation[];
}

export interface EmbeddingStats {
  tokens: number;
  dim: number;
  raw_norm: { min: number; q05: number; q25: number; median: number; q75: number; q95: number; max: number; mean: number };
  raw_norm_histogram: { edges: number[]; counts: number[] };
  mean_cosine: number;
  max_cosine: number;
  nearest_pair: [number, number];
  effective_rank: number;
  singular_values: number[];
  never_updated?: number[] | null;
  alarms?: string[] | null;
}

export interface Embeddings {
  step: number;
  stats: EmbeddingStats;
  explained: number[];
  tokens: { text: string[]; norm: number[]; count: number[] | null; x: number[]; y: number[] };
  history: {
    step: number[];
    mean_cosine: Num[];
    max_cosine: Num[];
    effective_rank: Num[];
    norm_q05: Num[];
    norm_median: Num[];
    norm_q95: Num[];
    alarms: (string[] | null)[];
  } | null;
}

export interface Neighbours {
  id: number;
  neighbours: { id: number; text: string; cosine: number }[];
}

export interface Samples {
  steps: number[];
  seed: number;
  temperature: number;
}

export interface Frame {
  step: number;
  steps: number;
  t: Num;
  u: Num;
  tokens: string[];
  p: Num[] | null;
  given: boolean[] | null;
}

export interface Sample {
  step: number;
  text: string;
  frames: Frame[];
}

export interface WriteRequest {
  text: string;
  mode: "free" | "prompt" | "infill";
  length: number;
  steps: number;
  temperature: number;
  guidance: number;
  seed: number;
}

export interface WriteEnd {
  done?: boolean;
  text?: string;
  calls?: number;
  error?: string;
}

export interface Shards {
  documents: number;
  counted: number; // documents behind lengths and the counts of tokens
  tokens: number;
  bytes: number;
  tokens_per_byte: number;
  lengths: { edges: number[]; counts: number[] };
  splits?: { name: string; documents: number; tokens: number; bytes: number }[] | null;
  shards: { name: string; documents: number; tokens: number; bytes: number }[];
}

export interface Documents {
  total: number;
  documents: { id: string; source: string; tokens: number; bytes: number; begins: string }[];
}

export interface Document {
  id: string;
  source: string;
  text: string;
  tokens: string[];
  more?: boolean;
}

export interface Change {
  run: string;
  step: number;
  state: Run["state"];
  problem?: string; // absent if there is none
  changed: string[];
}
