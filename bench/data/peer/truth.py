"""What Hugging Face tokenizers makes of texts, in a file that ours is compared with.

A record for each text: the ids in default settings, where the text of an added token
is that token; the ids with encode_special_tokens, where the text of a special token
is text; what the latter are decoded to without special tokens, and the former with
them; the ids with what the post-processor adds. Little-endian; a part that is equal to
what a reader has already is 0xFFFFFFFF.
"""
import json
import os

import numpy as np
from tokenizers import Tokenizer

import documents

SAME = np.uint32(0xFFFFFFFF).tobytes()


def run(tokenizer, set, out, threads=2):
    default = Tokenizer.from_file(tokenizer)
    plain = Tokenizer.from_file(tokenizer)
    plain.encode_special_tokens = True
    for t in (default, plain):
        t.no_padding()
        t.no_truncation()
    special = [t for t in json.load(open(tokenizer, encoding="utf-8"))["added_tokens"] if t["special"]]
    names = [t["content"] for t in special]
    raw = not any(t["normalized"] for t in special)  # then their names stand in the text as they are
    ids_of_special = {t["id"] for t in special}
    count = 0
    with open(out + ".part", "wb") as file:
        for batch in batches(documents.each(set)):
            encoded = default.encode_batch(batch, add_special_tokens=False)
            as_text = {}
            hard = [i for i, x in enumerate(batch) if not raw or any(n in x for n in names)]
            for i, e in zip(hard, plain.encode_batch([batch[i] for i in hard], add_special_tokens=False)):
                as_text[i] = e.ids
            ids = [e.ids for e in encoded]
            decoded = default.decode_batch([as_text.get(i, x) for i, x in enumerate(ids)], skip_special_tokens=True)
            processed = default.encode_batch([x for x in batch if len(x) < 200], add_special_tokens=True)
            short = iter(processed)
            for i, text in enumerate(batch):
                row = ids[i]
                put(file, row)
                other = as_text.get(i, row)
                put(file, None if other == row else other)
                put_text(file, None if decoded[i] == text else decoded[i])
                with_special = decoded[i]
                if other != row or not ids_of_special.isdisjoint(row):
                    with_special = default.decode(row, skip_special_tokens=False)
                put_text(file, None if with_special == decoded[i] else with_special)
                whole = next(short).ids if len(text) < 200 else row
                put(file, None if whole == row else whole)
                count += len(row)
    os.replace(out + ".part", out)
    return {"tokens": count}


def put(file, ids):
    if ids is None:
        file.write(SAME)
    else:
        file.write(np.uint32(len(ids)).tobytes())
        file.write(np.asarray(ids, dtype=np.uint32).tobytes())


def put_text(file, text):
    if text is None:
        file.write(SAME)
    else:
        data = text.encode()
        file.write(np.uint32(len(data)).tobytes())
        file.write(data)


def batches(texts, most=500_000):
    batch, size = [], 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size > most or len(batch) == 1000:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
