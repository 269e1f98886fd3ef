#!/usr/bin/env python3
"""Write what the official Hugging Face tokenizers (pip install tokenizers==0.23.3) do,
for the tests of the frame of package tokenize to compare with:

    characters.json  a BPE of characters with byte fallback, trained on corpus.txt
    bytes.json       a BPE of bytes with Llama 3's words, trained on corpus.txt
    frame.json       words of each known pattern; ids, offsets and decoded texts of both

The texts are those of golden.json, which golden.py writes, and some more. Run it in this
directory.
"""

import json
import random
import re

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = open("corpus.txt", encoding="utf-8", newline="").read()
TEXTS = [case["text"] for case in json.load(open("golden.json"))["cases"]] + [
    "<s>hello</s> <unk> a <s>",
    "the <mask> word<mask>s  <mask>  end",
    "onetwo two twotwo two.",
    "HEAD  and Head x HEAD",
    "HelloWORLDfooBar's ABCdefGHI x'LL \u01c5abc \u02b0\u02b0 \u207fabc a\u02b0B \u00e9\u00c9 \u0301\u0301A",
    "'S 'RE 'Ll '\u017fa x'\u017f DON'T I'VEs",
    "aB1c2D3 \uff19\uff18\uff17\uff16 \u00bd\u00be 1234567890 x1",
    "\u65e5\u672c\u8a9e\u30c6\u30ad\u30b9\u30c8\u3001\u30ab\u30bf\u30ab\u30ca123\u6f22\u5b57kanji \u4e2d\u6587abc\u6df7\u5408\u3002",
    "path/to/file//x\n/a\r\n\r\n//b !hello #tag @user ~x |y| {z}",
    "\u2581\u2581 \u2581a \u2581 a\u2581b",
    "\u2028x\u2029y\u0085z\u00a0w\u3000v",
    "x" * 200 + " " * 50 + "\u00e9" * 60,
]


def patterns():
    source = open("../patterns.go").read()
    known = re.findall(r"^\t`([^`]+)`: +\{", source, re.M) + [r"[\s\S]"]
    known += [json.loads(s) for s in re.findall(r'^\t("(?:[^"\\]|\\.)+"): +\{', source, re.M)]
    out = []
    for regex in known:
        for behavior in "isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous":
            for invert in False, True:
                step = pre_tokenizers.Split(Regex(regex), behavior, invert)
                part = json.loads(step.__getstate__())
                words = [[w for _, span in step.pre_tokenize_str(t) for w in span] for t in TEXTS]
                out.append({"part": part, "words": words})
    steps = [
        pre_tokenizers.Split("o", "merged_with_next"),
        pre_tokenizers.Digits(False),
        pre_tokenizers.Digits(True),
        pre_tokenizers.Punctuation(),
        pre_tokenizers.Punctuation("merged_with_previous"),
        pre_tokenizers.Whitespace(),
        pre_tokenizers.WhitespaceSplit(),
    ]
    for step in steps:
        words = [[w for _, span in step.pre_tokenize_str(t) for w in span] for t in TEXTS]
        out.append({"part": json.loads(step.__getstate__()), "words": words})
    return out


def characters():
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    t.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=special, show_progress=False, max_token_length=12)
    t.train_from_iterator(CORPUS.split("\n"), trainer)
    saved = json.loads(t.to_str())
    saved["added_tokens"] = saved["added_tokens"][:3]
    t = Tokenizer.from_str(json.dumps(saved))
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False, special=True)])
    t.add_tokens([AddedToken("two", single_word=True, rstrip=True, normalized=False), AddedToken("HEAD", normalized=True)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return t


def byte_level():
    t = Tokenizer(models.BPE(ignore_merges=True))
    llama3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(llama3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    t.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    t.train_from_iterator([CORPUS], trainer)
    saved = json.loads(t.to_str())
    # A token that merging never makes, which ignore_merges finds all the same.
    saved["model"]["vocab"]["\u0120proceed"] = len(saved["model"]["vocab"])
    t = Tokenizer.from_str(json.dumps(saved))
    t.add_special_tokens([AddedToken("<s>", normalized=False, special=True)])
    t.add_tokens([AddedToken("two", rstrip=True, lstrip=True, normalized=True)])
    t.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=True), processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", t.token_to_id("<s>"))])]
    )
    return t


def cases(t):
    out = []
    for text in TEXTS:
        t.encode_special_tokens = True
        plain = t.encode(text, add_special_tokens=False).ids
        t.encode_special_tokens = False
        e = t.encode(text, add_special_tokens=False)
        out.append({
            "plain": plain,
            "special": e.ids,
            "offsets": [len(text[:c].encode()) for span in e.offsets for c in span],
            "template": t.encode(text).ids,
            "decoded": t.decode(e.ids),
            "decoded_special": t.decode(e.ids, skip_special_tokens=False),
        })
    return out


def forms():
    marks = ["\u0315", "\u0300", "\u0323", "\u05ae", "\u0301", "\u0327", "e", "\u00e9", "\u1ec7", "\uac00", "\u11a8", "a", "\ufb01", "\u0344"]
    rng = random.Random(8)
    texts = ["".join(rng.choice(marks) for _ in range(12)) for _ in range(40)]
    out = []
    for name in "NFC", "NFD", "NFKC", "NFKD":
        t = Tokenizer(models.WordLevel({"[UNK]": 0}, "[UNK]"))
        t.normalizer = getattr(normalizers, name)()
        t.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
        spans = [[len(x[:c].encode()) for s in t.encode(x).offsets for c in s] for x in texts]
        out.append({"file": t.to_str(), "texts": texts, "offsets": spans})
    return out


loaded = {"characters": characters(), "bytes": byte_level()}
for name, t in loaded.items():
    t.save(name + ".json")
with open("frame.json", "w") as f:
    f.write('{"source": "Hugging Face tokenizers %s (PyPI), by frame.py",\n"texts": %s,\n"splits": [\n' % (tokenizers.__version__, json.dumps(TEXTS)))
    f.write(",\n".join(json.dumps(p, separators=(",", ":")) for p in patterns()))
    f.write('\n],\n"forms": ' + json.dumps(forms(), separators=(",", ":")))
    for name, t in loaded.items():
        f.write(',\n"%s": [\n%s\n]' % (name, ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases(t))))
    f.write("}\n")
