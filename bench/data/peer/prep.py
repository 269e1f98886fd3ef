"""Text to tokenised files, by datasets and by datatrove."""
import glob
import importlib
import os
import time


def run(peer, tokenizer, corpus, out, processes, threads):
    files = sorted(glob.glob(os.path.join(corpus, "*.jsonl")))
    for module in MODULES[peer]:
        importlib.import_module(module)
    start = time.perf_counter()
    tokens = PEERS[peer](tokenizer, files, out, processes)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "tokens": tokens, "check": str(tokens)}


def mapper(path):
    from tokenizers import Tokenizer

    t = Tokenizer.from_file(path)
    t.encode_special_tokens = True
    t.no_padding()
    t.no_truncation()
    return lambda rows: {"tokens": [e.ids for e in t.encode_batch_fast(rows["text"], add_special_tokens=False)]}


class Lazy:
    """Loads the tokenizer in the process that uses it, and is small to send there."""

    def __init__(self, path):
        self.path, self.encode = path, None

    def __call__(self, rows):
        if self.encode is None:
            self.encode = mapper(self.path)
        return self.encode(rows)

    def __getstate__(self):
        return {"path": self.path, "encode": None}


def by_datasets(tokenizer, files, out, processes):
    import datasets

    datasets.disable_progress_bars()
    width = "uint16" if os.path.basename(tokenizer).startswith("gpt2") else "uint32"
    cache = os.path.join(out, "cache")
    rows = datasets.load_dataset("json", data_files=files, split="train", cache_dir=cache, num_proc=processes if processes > 1 else None)
    features = datasets.Features({**rows.features, "tokens": datasets.Sequence(datasets.Value(width))})
    rows = rows.map(Lazy(tokenizer), batched=True, batch_size=1000, num_proc=processes if processes > 1 else None, features=features)
    rows.to_parquet(os.path.join(out, "tokens.parquet"))
    return count(os.path.join(out, "tokens.parquet"))


def count(path):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    return sum(pc.sum(pc.list_value_length(b.column(0))).as_py() or 0 for b in pq.ParquetFile(path).iter_batches(columns=["tokens"]))


def by_streaming(tokenizer, files, out, processes):
    import datasets

    datasets.disable_progress_bars()
    rows = datasets.load_dataset("json", data_files=files, split="train", streaming=True)
    rows = rows.map(Lazy(tokenizer), batched=True, batch_size=1000)
    rows.to_parquet(os.path.join(out, "tokens.parquet"))
    return count(os.path.join(out, "tokens.parquet"))


def by_datatrove(tokenizer, files, out, processes):
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.tokens import DocumentTokenizer

    LocalPipelineExecutor(
        pipeline=[
            JsonlReader(os.path.dirname(files[0]), glob_pattern="*.jsonl"),
            DocumentTokenizer(os.path.join(out, "tokens"), tokenizer_name_or_path=tokenizer, eos_token="<|endoftext|>", batch_size=1000),
        ],
        tasks=processes, workers=processes, logging_dir=os.path.join(out, "logs"),
    ).run()
    made = os.path.join(out, "tokens", "*.ds")
    documents = sum(os.path.getsize(f) for f in glob.glob(made + ".index")) // 8
    return sum(os.path.getsize(f) for f in glob.glob(made)) // 2 - documents  # each has an end


MODULES = {
    "datasets": ["datasets", "tokenizers"],
    "datasets_streaming": ["datasets", "tokenizers"],
    "datatrove": ["datatrove.executor", "datatrove.pipeline.readers", "datatrove.pipeline.tokens"],
}
PEERS = {"datasets": by_datasets, "datasets_streaming": by_streaming, "datatrove": by_datatrove}
