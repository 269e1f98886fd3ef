#!/usr/bin/env python3
"""Write pieces.json: what the official Hugging Face tokenizers (pip install
tokenizers==0.23.3) do with strings chosen to be difficult, for the tests of normalizers,
WordPiece, Unigram and their decoders to compare with; and wordpiece.json and
unigram.json, which it trains on corpus.txt. Run it in this directory.
"""

import base64
import json

import tokenizers
from charsmap import charsmap
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

RULES = {
    "\u2581": " ", "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\u200b": " ", "\u00ad": "", "\ufeff": "",
    "\ufb01": "fi", "\u2460": "1", "\u33a5": "m3", "e\u0301": "\u00e9", "A\u030a": "\u00c5", "\u00bd": "1\u20442",
    "\u30ab\u3099": "\u30ac", "\uff76": "\u30ab", "\uff76\uff9e": "\u30ac", "\uff9e": "\u3099", "\u1100": "\u3131",
    "\u00a9": "(c)", "\u0600": "#", "\r": "", "\r\n": "\n", "x": "\u00d7",
}

TEXTS = [
    "", " ", "  ", "Hello, World!", " leading and trailing ", "a\tb\nc\r\nd", "caf\u00e9 cafe\u0301 \u00c5ngstr\u00f6m A\u030angstrom",
    "\u0130stanbul \u01c5 \u1e9e \u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3", "na\u00efve \u212b \u2126 \ufb01\ufb02 \u00bd \u2460 \u33a5 \uff21\uff42",
    "\u4e2d\u6587\u5b57\u7b26 \u65e5\u672c\u8a9e\u306e \ud55c\uad6d\uc5b4 \u1112\u1161\u11ab", "\uac00\u11a8 \u1100\u1161\u11a8\u0301 \u1100\u1100\u1161",
    "\uf900 \U0002f800 \U00020000 \U0002b820 \U00030000", "a\u0323\u0307 a\u0307\u0323 \u0344 \u0958 \u0f73\u0f72",
    "e\u0301\u0301\u0301 \ufb01\u0301 \u00a9\u0301 \u00a9\ufe0f x\u0301 \u0600x", "\u30ab\u3099 \uff76\uff9e \uff76\u3099 \u304b\u309a",
    "zero\u200bwidth\u200djoin\u00adsoft\ufeffbom\u0000nul\ufffdrep", "\u0061\u302e\u0301\u302f\u0323", "\u0e31\u302f\u034f\u302e\u1cda",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd", "don't 'tis n't , . ? ! do not we 've 's 're",
    "\u00a1Hola! \u00bfQu\u00e9? \u00abguillemets\u00bb \u2014 \u2026 $5 + 3 = 8 ^ ` ~ | < >", "\u2028line\u2029para\u0085nel\u00a0nbsp\u3000wide\u180evs",
    "   many    spaces   ", "\u2581already\u2581\u2581there \u2581", "<unk> [UNK] ##ing </s> \u2581<unk>\u2603", "\u2603\u2603\u2603 \u2603a\u2603",
    "supercalifragilisticexpialidocious pneumonoultramicroscopic", "x" * 100, "x" * 101, "\u00e9" * 100, "\u00e9" * 101,
    "\u0915\u094d\u0937\u0301 \u0e01\u0e33 \u0b95\u0bca \u1019\u103c\u1014\u103a", "\r\r\n\n\r", "``quoted'' and \"this\"", "0123 \u0664\u0665 \u2167 \u00b2",
]

NORMALIZERS = {
    "bert uncased": normalizers.BertNormalizer(), "bert cased": normalizers.BertNormalizer(lowercase=False),
    "bert accents": normalizers.BertNormalizer(strip_accents=False),
    "bert strip only": normalizers.BertNormalizer(False, False, True, False),
    "lowercase": normalizers.Lowercase(), "strip accents": normalizers.StripAccents(), "nmt": normalizers.Nmt(),
    "nfc": normalizers.NFC(), "nfd": normalizers.NFD(), "nfkc": normalizers.NFKC(), "nfkd": normalizers.NFKD(),
    "strip": normalizers.Strip(), "strip left": normalizers.Strip(right=False), "prepend": normalizers.Prepend("\u2581"),
    "replace": normalizers.Replace("``", '"'), "replace spaces": normalizers.Replace(tokenizers.Regex(" {2,}"), " "),
    "replace white": normalizers.Replace(tokenizers.Regex(r"[\s.]+"), "_"), "bytes": normalizers.ByteLevel(),
    "precompiled": normalizers.Precompiled(charsmap(RULES)),
    "albert": normalizers.Sequence([
        normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents(),
        normalizers.Lowercase(), normalizers.Precompiled(charsmap(RULES)), normalizers.Replace(tokenizers.Regex(" {2,}"), " "),
    ]),
    "empty sequence": normalizers.Sequence([]),
}


def describe(part):
    """The part as a file has it."""
    t = Tokenizer(models.BPE())
    t.normalizer = part
    return json.loads(t.to_str())["normalizer"]


def wordpiece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer, t.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.train(["corpus.txt"], trainers.WordPieceTrainer(vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    t.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 2), ("[SEP]", 3)])
    t.save("wordpiece.json")
    return t


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([
        normalizers.Precompiled(charsmap(RULES)), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    t.train(["corpus.txt"], trainers.UnigramTrainer(
        vocab_size=400, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))
    t.save("unigram.json")
    return t


def variants(base):
    """Other tokenizers with the same model: what is changed in the file, by name."""
    if base["model"]["type"] == "WordPiece":
        yield "wordpiece", {}
        yield "wordpiece short words", {"model": {"max_input_chars_per_word": 5}}
        yield "wordpiece cased, no cleanup", {"normalizer": {"lowercase": False}, "decoder": {"cleanup": False}}
    else:
        yield "unigram", {}
        yield "unigram whole", {"pre_tokenizer": {"split": False}}
        yield "unigram first", {"pre_tokenizer": {"prepend_scheme": "first"}, "decoder": {"prepend_scheme": "first"}}
        yield "unigram never", {"pre_tokenizer": {"prepend_scheme": "never"}, "decoder": {"prepend_scheme": "never"}}


def main():
    out = {"source": f"tokenizers {tokenizers.__version__}", "normalizers": [], "tokenizers": []}
    for name, part in NORMALIZERS.items():
        out["normalizers"].append({
            "name": name, "part": describe(part),
            "cases": [{"text": t, "want": part.normalize_str(t)} for t in TEXTS],
        })
    for make in wordpiece, unigram:
        base = json.loads(make().to_str())
        for name, changes in variants(base):
            file = json.loads(json.dumps(base))
            for part, fields in changes.items():
                file[part].update(fields)
            t = Tokenizer.from_str(json.dumps(file))
            t.encode_special_tokens = True
            out["tokenizers"].append({
                "name": name, "file": make.__name__ + ".json", "changes": changes,
                "cases": [
                    {"text": x, "ids": (e := t.encode(x, add_special_tokens=False)).ids, "decoded": t.decode(e.ids)}
                    for x in TEXTS
                ],
            })
    with open("pieces.json", "w") as f:
        json.dump(out, f, separators=(",", ":"), sort_keys=True)
        f.write("\n")


main()
