"""The bytes of a text that each token stands for, by Hugging Face tokenizers.

A record for each text: the number of tokens, then start and end of each, little-endian.
The library counts characters; here they are bytes, as ours are.
"""
import os

import numpy as np
from tokenizers import Tokenizer

import documents
from truth import batches


def run(tokenizer, set, out, threads=2):
    t = Tokenizer.from_file(tokenizer)
    t.no_padding()
    t.no_truncation()
    with open(out + ".part", "wb") as file:
        for batch in batches(documents.each(set)):
            for text, e in zip(batch, t.encode_batch(batch, add_special_tokens=False)):
                widths = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
                widths = 1 + (widths > 0x7F) + (widths > 0x7FF) + (widths > 0xFFFF)
                places = np.concatenate([[0], np.cumsum(widths)]).astype(np.uint32)
                file.write(np.uint32(len(e)).tobytes())
                file.write(places[np.asarray(e.offsets, dtype=np.int64).reshape(-1)].tobytes())
    os.replace(out + ".part", out)
