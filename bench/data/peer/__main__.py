"""The peers of the benchmark: peer JSON

A job a process, so that every cache is cold. The answer is a line of JSON, the last
one on standard output: seconds to load, seconds of work, how much work it was, and
what tells equal results from others.
"""
import importlib
import json
import sys


def main():
    spec = json.loads(sys.argv[1])
    answer = importlib.import_module(spec.pop("job")).run(**spec)
    print(json.dumps(answer or {}), flush=True)


if __name__ == "__main__":
    main()
