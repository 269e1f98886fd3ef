"""Encodes texts, as each peer does it fastest."""
import importlib
import json
import time
import zlib

import numpy as np

import documents

BATCH = 1000  # texts


def run(peer, tokenizer, sets, most, threads):
    texts, size = documents.read(sets, most)
    for module in MODULES.get(peer, [peer]):
        importlib.import_module(module)
    start = time.perf_counter()
    batch, one = PEERS[peer](tokenizer, threads)
    loaded = time.perf_counter()
    tokens = 0
    for i in range(0, len(texts), BATCH):
        tokens += batch(texts[i : i + BATCH])
    done = time.perf_counter()
    check = 0
    for text in texts[:: max(1, len(texts) // 2000)]:
        check = zlib.crc32(np.asarray(one(text), dtype="<i4").tobytes(), check)
    return {"load": loaded - start, "seconds": done - loaded, "amount": size, "tokens": int(tokens), "check": f"{tokens}-{check:08x}"}


def hugging_face(method):
    def make(path, threads):
        from tokenizers import Tokenizer

        t = Tokenizer.from_file(path)
        t.encode_special_tokens = True
        t.no_padding()
        t.no_truncation()
        encode = getattr(t, method)
        return (
            lambda texts: sum(map(len, encode(texts, add_special_tokens=False))),
            lambda text: t.encode(text, add_special_tokens=False).ids,
        )

    return make


def byte_tokens(path):
    """Tokens as bytes with their ranks, special tokens, and the pattern of a byte-level file."""
    file = json.load(open(path, encoding="utf-8"))
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = {chr(b): b for b in printable}
    alphabet |= {chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in set(printable))}
    special = {t["content"]: t["id"] for t in file["added_tokens"]}
    ranks = {bytes(alphabet[c] for c in s): i for s, i in file["model"]["vocab"].items() if s not in special}
    pattern = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
    for step in file["pre_tokenizer"].get("pretokenizers", []):
        if step["type"] == "Split":
            pattern = step["pattern"]["Regex"]
    return ranks, special, pattern


def tiktoken(as_numpy):
    def make(path, threads):
        import tiktoken

        ranks, special, pattern = byte_tokens(path)
        e = tiktoken.Encoding("file", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)
        if as_numpy:
            return lambda texts: sum(len(e.encode_to_numpy(t, disallowed_special=())) for t in texts), e.encode_ordinary
        return lambda texts: sum(map(len, e.encode_ordinary_batch(texts, num_threads=threads))), e.encode_ordinary

    return make


def gigatoken(path, threads):
    import awkward
    import gigatoken

    t = gigatoken.Tokenizer(path)
    return (
        lambda texts: awkward.count(t.encode_batch(texts, parallel=threads > 1)),
        lambda text: t.encode_batch_list([text], parallel=False)[0],
    )


def tokie(path, threads):
    import tokie

    t = tokie.Tokenizer.from_json(path)
    return (
        lambda texts: len(t.encode_batch_flat(texts, add_special_tokens=False)[0]),
        lambda text: t.encode(text, add_special_tokens=False).ids,
    )


def kitoken(path, threads):
    import kitoken

    t = kitoken.Kitoken.from_tokenizers_file(path)
    return lambda texts: sum(map(len, t.encode_all(texts, False))), lambda text: t.encode(text, False)


def iree(path, threads):
    from iree.tokenizer import Tokenizer

    t = Tokenizer.from_file(path)
    return lambda texts: len(t.encode_batch_to_array(texts)[0]), t.encode


MODULES = {"hf": ["tokenizers"], "hf_fast": ["tokenizers"], "tiktoken_numpy": ["tiktoken"], "gigatoken": ["gigatoken", "awkward"], "iree": ["iree.tokenizer"]}
PEERS = {
    "hf": hugging_face("encode_batch"),
    "hf_fast": hugging_face("encode_batch_fast"),
    "tiktoken": tiktoken(False),
    "tiktoken_numpy": tiktoken(True),
    "gigatoken": gigatoken,
    "tokie": tokie,
    "kitoken": kitoken,
    "iree": iree,
}
