"""Trains a byte-level BPE vocabulary by Hugging Face tokenizers."""
import hashlib
import json
import time

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import documents


def run(sets, most, vocab, out, threads):
    start = time.perf_counter()
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab, min_frequency=2, special_tokens=["<eos>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    size = 0

    def texts():
        nonlocal size
        for path in sets:
            batch = []
            for text in documents.each(path, most // len(sets)):
                size += len(text.encode())
                batch.append(text)
                if len(batch) == 1000:
                    yield batch
                    batch = []
            yield batch

    t.train_from_iterator(texts(), trainer)
    t.save(out)
    seconds = time.perf_counter() - start
    merges = json.load(open(out, encoding="utf-8"))["model"]["merges"]
    text = "\n".join(m if isinstance(m, str) else " ".join(m) for m in merges)
    return {"seconds": seconds, "amount": size, "tokens": len(merges), "check": hashlib.sha256(text.encode()).hexdigest()[:16]}
