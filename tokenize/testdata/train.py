#!/usr/bin/env python3
"""Write what the official Hugging Face trainers (pip install tokenizers==0.23.3) learn,
to train.json, for the tests of package tokenize to compare with. Run it in this
directory.
"""

import json
import random

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers


def draw(letters, length, docs=8):
    r = random.Random(letters + str(length))
    return ["".join(r.choice(letters) for _ in range(length)) for _ in range(docs)]


def bpe(docs, vocab):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.train_from_iterator(docs, trainers.BpeTrainer(
        vocab_size=vocab, min_frequency=2, special_tokens=["<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    ))
    merges = json.loads(t.to_str())["model"]["merges"]
    return [m if isinstance(m, str) else " ".join(m) for m in merges]


corpus = open("corpus.txt", encoding="utf-8", newline="").read().splitlines(keepends=True)
cases = [
    # name, documents, tokens
    ("corpus", corpus, 600),
    ("until nothing is left", corpus[:40], 5000),
    ("overlaps", ["aaa", "aaaaaaa bbbb aaaa", "a" * 300], 300),
    ("two letters", draw("ab", 2000), 330),
    ("ties", draw("abc ", 60), 400),
    ("other scripts", draw("é語 a\n", 200), 330),
]
with open("train.json", "w", encoding="utf-8") as f:
    json.dump({
        "source": f"Hugging Face tokenizers {tokenizers.__version__}, written by train.py",
        "bpe": [{"name": n, "docs": d, "vocab": v, "merges": bpe(d, v)} for n, d, v in cases],
    }, f, ensure_ascii=False, indent=0)
    f.write("\n")
