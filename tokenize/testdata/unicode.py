"""Writes unicode.txt: what Hugging Face tokenizers does with each code point.

Its normalizers and pre-tokenizers know Unicode by the tables of several Rust crates,
each of another version. This asks them about every code point, one at a time.

    python3 testdata/unicode.py > unicode.txt
"""

import unicodedata

import tokenizers
from charsmap import charsmap
from tokenizers import normalizers as N

ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(codes):
    """Hexadecimal ranges, "41-5A 5F 61-7A"; surrogates, which no text has, join any."""
    out, codes = [], sorted(codes)
    for c in codes:
        if out and (c == out[-1][1] + 1 or (out[-1][1] == 0xD7FF and c == 0xE000)):
            out[-1][1] = c
        else:
            out.append([c, c])
    return [f"{a:X}" if a == b else f"{a:X}-{b:X}" for a, b in out]


def show_ranges(name, codes):
    line = name
    for r in ranges(codes):
        if len(line) + 1 + len(r) > 120:
            print(line)
            line = name
        line += " " + r
    print(line)


def show_map(name, mapping):
    for c, s in sorted(mapping.items()):
        print(name, f"{c:X}", *(f"{ord(x):X}" for x in s))


def mapped(normalizer, codes=ALL):
    """What the normalizer makes of each code point where that is not itself."""
    out = {}
    for c in codes:
        s = normalizer.normalize_str(chr(c))
        if s != chr(c):
            out[c] = s
    return out


def combining_classes():
    """The canonical combining class, by how NFD orders a mark and those whose class is known."""
    nfd = N.NFD().normalize_str
    known = {}
    for c in ALL:
        v = unicodedata.combining(chr(c))
        if v and nfd(chr(c)) == chr(c):
            known.setdefault(v, chr(c))
    def after(r, x):  # NFD puts x before r: 0 < class of x < class of r
        return r != x and nfd(r + x) == x + r

    last = known[max(known)]
    known = {v: x for v, x in known.items() if x == last or after(last, x)}  # known to the crate
    values = sorted(known)
    first = known[values[0]]
    for v, w in zip(values, values[1:]):
        assert after(known[w], known[v]), (v, w)
    out = {}
    for c in ALL:
        x = chr(c)
        if nfd(x) != x:
            continue
        if not after(last, x) and nfd(x + first) == x + first:
            continue
        v = max((v for v in values if not after(known[v], x)), default=values[0])
        # class v puts x before every reference of a higher class, and after every lower
        out.setdefault(v, []).append(c)
    return out


def grapheme_breaks():
    """What joins characters into a cluster, as far as a charsmap can tell: clusters shorter
    than six bytes are looked up as a whole, and the rule of their first prefix is taken for
    all of it. So "a" and a mark become X if they are one cluster, and X and the mark if not."""
    def having(key, before, after):
        """The code points that, put into the text, keep key's acute from being its own."""
        n = N.Precompiled(charsmap({key: "X"}))
        return [c for c in ALL if c and not n.normalize_str(f"{before}{chr(c)}{after}").endswith("X")]

    n = N.Precompiled(charsmap({"a": "X"}))
    joins = {"extend": [c for c in ALL if c and n.normalize_str("a" + chr(c)) == "X"]}
    joins["prepend"], joins["control"] = [], []
    for start in range(1, len(ALL), 64):
        part = [chr(c) for c in ALL[start : start + 64]]
        n = N.Precompiled(charsmap({c: "X" for c in part}))
        joins["prepend"] += [ord(c) for c in part if n.normalize_str(c + "b") == "X"]
        joins["control"] += [
            ord(c) for c in part if c < "\U00010000" and n.normalize_str(c + "\u0301") != "X"
        ]
    joins["pictographic"] = having("\u00a9", "", "\u200d\u00a9\u0301")
    joins["consonant"] = having("\u0915", "", "\u094d\u0915\u0301")
    joins["linker"] = sorted(set(having("\u0915", "\u0915", "\u0915\u0301")) - set(joins["prepend"]))
    return joins


def main():
    print(f"# What Hugging Face tokenizers {tokenizers.__version__} does with each code point;")
    print("# written by testdata/unicode.py. Names are explained in unicode.go.")

    bert = lambda **on: N.BertNormalizer(**{k: on.get(k, False) for k in
        ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")})
    clean = mapped(bert(clean_text=True))
    show_ranges("drop", [c for c, s in clean.items() if s == ""])
    show_ranges("blank", [c for c, s in clean.items() if s == " "])
    assert set(clean.values()) <= {"", " "}
    han = mapped(bert(handle_chinese_chars=True))
    show_ranges("han", han)
    assert all(s == f" {chr(c)} " for c, s in han.items())

    nfd, nfkd = mapped(N.NFD()), mapped(N.NFKD())
    nfc, nfkc = mapped(N.NFC()), mapped(N.NFKC())
    hangul = range(0xAC00, 0xD7A4)
    assert all(nfd[c] == unicodedata.normalize("NFD", chr(c)) == nfkd[c] for c in hangul)
    assert not any(c in nfc or c in nfkc for c in hangul)
    show_map("nfd", {c: s for c, s in nfd.items() if c not in hangul})
    show_map("nfkd", {c: s for c, s in nfkd.items() if nfd.get(c) != s})
    show_ranges("excluded", nfc)  # from composition
    for v, codes in sorted(combining_classes().items()):
        show_ranges(f"ccc {v}", codes)

    strip = bert(strip_accents=True)
    marks = {c for c in ALL if c not in nfd and strip.normalize_str(chr(c)) == ""}
    show_ranges("nonspacing", marks)
    for c in ALL:
        want = "".join(x for x in nfd.get(c, chr(c)) if ord(x) not in marks)
        assert strip.normalize_str(chr(c)) == want, hex(c)
    accents = mapped(N.StripAccents())
    assert set(accents.values()) == {""}
    show_ranges("combining", accents)
    lower = mapped(N.Lowercase())
    assert lower == mapped(bert(lowercase=True))
    show_map("lower", lower)
    nmt = mapped(N.Nmt())
    show_ranges("nmtdrop", [c for c, s in nmt.items() if s == ""])
    show_ranges("nmtblank", [c for c, s in nmt.items() if s == " "])
    assert set(nmt.values()) <= {"", " "}
    for name, codes in grapheme_breaks().items():
        show_ranges(name, codes)


if __name__ == "__main__":
    main()
