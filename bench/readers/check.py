"""Runs the blocks of docs/reading-shards.md and compares what they read with the
manifest and with the documents that prep cat printed.

    check.py PAGE FORMAT DIR CAT    DIR has the data set "shards"; CAT is prep cat --json --tokens
"""

import hashlib
import json
import os
import re
import sys

LENGTH = 64
FIGURES = ("documents", "tokens", "ids", "text_bytes")


def blocks(page, language):
    with open(page, encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.M | re.S)


def figures(rows):
    """Figures over rows of (tokens, text)."""
    sums = [0, 0, 0, 0]
    for tokens, text in rows:
        sums[0] += 1
        sums[1] += len(tokens)
        sums[2] += sum(int(i) for i in tokens)
        sums[3] += len(text.encode())
    return tuple(sums)


def readers(name, sql):
    """What each reader of the page makes of the training split, by name."""

    def pyarrow():
        for path in name["files"]("shards"):
            rows = name["table"](path).to_pylist()
            for row in rows:
                assert hashlib.sha256(row["text"].encode()).hexdigest()[:32] == row["doc_id"]
            yield from ((row["tokens"], row["text"]) for row in rows)

    def datasets(streaming):
        return ((row["tokens"], row["text"]) for row in name["load"]("shards", streaming=streaming))

    return {
        "pyarrow": lambda: figures(pyarrow()),
        "datasets": lambda: figures(datasets(False)),
        "datasets_streaming": lambda: figures(datasets(True)),
        "duckdb": lambda: tuple(int(v) for v in name["query"]("shards")),
        "duckdb_sql": lambda: tuple(int(v) for v in sql(0)[0]),
    }


def torch_windows(name, want_ids, shards, eos):
    """The number of figures in which windows differ: with as many workers as you
    like, they hold the ids of the shards up to the last whole window of each."""
    import torch

    differing = 0
    for workers in (0, 2):
        loader = torch.utils.data.DataLoader(name["windows"]("shards", LENGTH), batch_size=16, num_workers=workers)
        got = [w for batch in loader for w in batch]
        want = []
        for ids in want_ids:
            n = len(ids) // LENGTH
            want += [ids[i * LENGTH : (i + 1) * LENGTH] for i in range(n)]
        differing += sorted(w.tolist() for w in got) != sorted(want)
    return differing


def main(page, kind, folder, cat):
    page, cat = os.path.abspath(page), os.path.abspath(cat)
    os.chdir(folder)
    name = {}
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), name)

    with open(cat, encoding="utf-8") as file:
        documents = [json.loads(line) for line in file]
    want = figures((d.get("tokens", []), d["text"]) for d in documents)
    manifest = name["manifest"]("shards")
    shards = [s for s in manifest["shards"] if s["split"] == "train"]
    stated = tuple(sum(s[key] for s in shards) for key in ("documents", "tokens", "text_bytes"))
    assert stated == (want[0], want[1], want[3]), f"prep cat {want}, the manifest {stated}"

    def sql(i):
        import duckdb

        return duckdb.sql(blocks(page, "sql")[i]).fetchall()

    def report(reader, differing):
        print(f"mark readers.{kind}.{reader}.differing_figures {differing} == 0 {'ok' if differing == 0 else 'short'}")

    for reader, read in readers(name, sql).items():
        if reader == "duckdb_sql" and kind != "parquet":
            continue
        got = read()
        print(f"{kind} {reader}: " + ", ".join(f"{n} {v}" for n, v in zip(FIGURES, got)))
        report(reader, sum(a != b for a, b in zip(got, want)))
    if kind == "parquet":
        longest = sorted(((-len(d.get("tokens", [])), d["doc_id"]) for d in documents))[:10]
        report("duckdb_longest", sum(a[0] != b[1] or a[3] != -b[0] for a, b in zip(sql(1), longest, strict=True)))

    try:
        import torch
    except ImportError:
        print(f"{kind} torch: not installed, not checked")
        return
    eos, at, circles = manifest["plan"]["tokenizer"]["eos"], 0, []
    for s in shards:
        ids = []
        for d in documents[at : at + s["documents"]]:
            ids += d.get("tokens", []) + ([eos] if eos >= 0 else [])
        circles.append(ids)
        at += s["documents"]
    report("torch_windows", torch_windows(name, circles, shards, eos))


if __name__ == "__main__":
    main(*sys.argv[1:])
