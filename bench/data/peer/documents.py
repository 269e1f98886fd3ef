"""The texts of both sides."""
import json


def each(path, most=0):
    """The texts of a file of JSON lines until they hold at least most bytes; 0 is all."""
    size = 0
    with open(path, encoding="utf-8", newline="\n") as lines:
        for line in lines:
            text = json.loads(line)["text"]
            yield text
            size += len(text.encode())
            if most and size >= most:
                return


def read(paths, most):
    """The texts of several files, the same share of each, and their bytes."""
    texts = [text for path in paths for text in each(path, most // len(paths))]
    return texts, sum(len(text.encode()) for text in texts)
