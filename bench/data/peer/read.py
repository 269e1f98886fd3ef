"""Reads windows of tokens, shuffled, for an epoch."""
import glob
import importlib
import os
import time

import numpy as np


def run(peer, directory, length, threads):
    importlib.import_module(MODULES.get(peer, "datasets"))
    start = time.perf_counter()
    windows = PEERS[peer](directory, threads)
    loaded = time.perf_counter()
    total = count = 0
    for w in windows:
        count += w.size
        total += int(w.flat[0]) + int(w.flat[-1])
    seconds = time.perf_counter() - loaded
    return {"load": loaded - start, "seconds": seconds, "amount": count, "tokens": count, "check": ""}


def mosaic(directory, threads):
    from streaming import StreamingDataset

    data = StreamingDataset(local=os.path.join(directory, "mds"), shuffle=True, batch_size=8)
    return (row["tokens"] for row in data)


def mosaic_loader(directory, threads):
    from streaming import StreamingDataLoader, StreamingDataset

    data = StreamingDataset(local=os.path.join(directory, "mds"), shuffle=True, batch_size=8)
    loader = StreamingDataLoader(data, batch_size=8, num_workers=threads, collate_fn=lambda rows: np.stack([r["tokens"] for r in rows]))
    return iter(loader)


def by_datasets(form, batch):
    def windows(directory, threads):
        import datasets

        files = sorted(glob.glob(os.path.join(directory, "windows", "*.parquet")))
        data = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
        data = data.shuffle(seed=1, buffer_size=1000).with_format(form)
        if batch:
            return (window for rows in data.iter(batch_size=batch) for window in rows["tokens"])
        return (np.asarray(row["tokens"]) for row in data)

    return windows


MODULES = {"mosaic": "streaming", "mosaic_loader": "streaming"}
PEERS = {
    "mosaic": mosaic,
    "mosaic_loader": mosaic_loader,
    "datasets": by_datasets("numpy", 0),
    "datasets_lists": by_datasets(None, 0),
    "datasets_batches": by_datasets("numpy", 64),
}
