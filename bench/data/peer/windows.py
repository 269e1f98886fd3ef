"""Writes the windows that read.py reads: the tokens of our shards, cut into rows."""
import glob
import os
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def run(shards, out, length, threads):
    from streaming import MDSWriter

    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(os.path.join(out, "windows"))
    tokens = []
    for path in sorted(glob.glob(os.path.join(shards, "*.parquet"))):
        column = pq.read_table(path, columns=["tokens"])["tokens"].combine_chunks()
        tokens.append(column.flatten().to_numpy().astype(np.uint16))
    tokens = np.concatenate(tokens)
    rows = tokens[: len(tokens) // length * length].reshape(-1, length)
    with MDSWriter(out=os.path.join(out, "mds"), columns={"tokens": f"ndarray:uint16:{length}"}, compression=None) as writer:
        for row in rows:
            writer.write({"tokens": row})
    for i, part in enumerate(np.array_split(rows, 4)):
        column = pa.ListArray.from_arrays(np.arange(0, part.size + 1, length, dtype=np.int32), part.reshape(-1))
        pq.write_table(pa.table({"tokens": column}), os.path.join(out, "windows", f"{i}.parquet"))
    return {"amount": rows.size}
