"""A precompiled_charsmap, SentencePiece's table of rules, made by hand."""

import struct


def charsmap(rules):
    """The table of the rules key -> value: a double array, and the values, each
    ended by a zero."""
    values, blob = {}, b""
    for s in sorted(set(rules.values())):
        values[s] = len(blob)
        blob += s.encode() + b"\0"
    trie = {}
    for key, value in rules.items():
        node = trie
        for b in key.encode():
            node = node.setdefault(b, {})
        node[None] = values[value]
    units, taken, bases = {0: 0}, {0}, set()

    def place(node, pos, label):
        labels = [b or 0 for b in node]  # of None, the value, it is zero
        base = next(b for b in range(1 << 20) if b not in bases and not any(b ^ c in taken for c in labels))
        bases.add(base)
        taken.update(base ^ c for c in labels)
        units[pos] = (base ^ pos) << 10 | label | (0x100 if None in node else 0)
        for b, child in node.items():
            if b is None:
                units[base] = 0x80000000 | child
            else:
                place(child, base ^ b, b)

    place(trie, 0, 0)
    raw = b"".join(struct.pack("<I", units.get(i, 0)) for i in range(256 + max(units)))
    return struct.pack("<I", len(raw)) + raw + blob
