"""Event files and the projector's export, read back with TensorBoard's own package.

    check_tensorboard.py PROGRAMS RUN...

Trains a small run of each objective with --tensorboard, kills the one of diffusion
twice (kill -9) and resumes it, and compares what TensorBoard makes of the event files
with metrics.jsonl and the other logs: by its Python reader, and by the server that users
start, over HTTP. The projector's export of every RUN is opened in the same way.
"""

import json
import math
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

STEPS = 600


def mark(name, value, want):
    print(f"mark interop.tensorboard.{name} {value} == {want} {'ok' if value == want else 'short'}")


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def train(programs, work, run, kills, *options):
    """Trains a run and kills it at so many places."""
    settings = [f"--set=run.{key}={value}" for key, value in {"eval_every": 150, "sample_every": 100, "save_every": 100, "warp_every": 50}.items()]
    begin = ["--stream", "shards", "-o", run, "--length", "32", "--batch", "8", "--steps", str(STEPS), *settings, *options]
    command = begin
    for k in range(kills + 1):
        child = subprocess.Popen([programs / "train", *command, "--tensorboard"], cwd=work, stderr=subprocess.PIPE)
        if k < kills:
            metrics, until = work / run / "metrics.jsonl", (k + 1) * STEPS // (kills + 1) + 40
            while not metrics.exists() or f'"step":{until},' not in metrics.read_text():
                time.sleep(0.05)
            child.send_signal(signal.SIGKILL)
        errors = child.communicate()[1].decode()
        if k == kills and child.returncode:
            raise SystemExit(errors)
        command = ["--resume", run]


def expected(run):
    """What the logs say, as {tag: {step: value}}."""
    scalars = {}

    def put(step, tag, value):
        scalars.setdefault(tag, {})[step] = value

    for m in lines(run / "metrics.jsonl"):
        if e := m.get("eval"):
            for t, ce in zip(e.get("t", []), e.get("ce", [])):
                put(m["step"], f"held_out/t={t:g}", ce)
            if p := e.get("likelihood"):
                put(m["step"], "held_out/nats", p["nats"])
                put(m["step"], "held_out/after_first", p["after_first"])
            continue
        put(m["step"], "train/loss", m["loss"])
        put(m["step"], "train/grad_norm", m["grad_norm"])
        put(m["step"], "train/lr", m["lr"])
        put(m["step"], "train/tokens", m["tokens"])
        put(m["step"], "train/skipped", m.get("skipped", 0))
    for w in lines(run / "warp.jsonl"):
        for q in w["warp"]["quantiles"]:
            put(w["step"], f"warp/t_at_u={q['u']:g}", q["t"])
    for e in lines(run / "embeddings.jsonl"):
        s = e["stats"]
        put(e["step"], "embeddings/mean_cosine", s["mean_cosine"])
        put(e["step"], "embeddings/max_cosine", s["max_cosine"])
        put(e["step"], "embeddings/effective_rank", s["effective_rank"])
        put(e["step"], "embeddings/raw_norm_median", s["raw_norm"]["median"])
    return scalars


def same(a, b):
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12)  # scalars are float32


def compare(name, want, got):
    """Counts the points of curves that differ, are missing or stand twice."""
    wrong = sum(len(points) != len(dict(points)) for points in got.values())
    for tag, points in want.items():
        there = dict(got.get(tag, []))
        wrong += sum(step not in there or not same(there[step], v) for step, v in points.items()) + len(there.keys() - points.keys())
    print(f"{name}: {sum(map(len, want.values()))} points of {len(want)} curves")
    mark(f"{name}.differing_points", wrong, 0)


def by_reader(name, run):
    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    compare(f"{name}.reader", expected(run), {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags["scalars"]})

    timing = {t["step"] for t in lines(run / "timing.jsonl")}
    mark(f"{name}.reader.steps_without_speed", len(timing ^ {e.step for e in events.Scalars("speed/tokens_per_second")}), 0)

    wrong = 0
    for w in lines(run / "warp.jsonl"):
        h = next(e.histogram_value for e in events.Histograms("warp/log10_t") if e.step == w["step"])
        t, cdf = np.array(w["warp"]["t"]), np.array(w["warp"]["cdf"])
        wrong += not (np.allclose(h.bucket_limit, np.log10(t[1:])) and np.allclose(h.bucket, np.diff(cdf)) and same(h.num, 1))
    for e in lines(run / "embeddings.jsonl"):
        h = next(v.histogram_value for v in events.Histograms("embeddings/raw_norm") if v.step == e["step"])
        n = e["stats"]["raw_norm_histogram"]
        wrong += not (np.allclose(h.bucket_limit, n["edges"][1:]) and list(h.bucket) == n["counts"] and same(h.min, n["edges"][0]))
    mark(f"{name}.reader.differing_histograms", wrong, 0)

    texts = [(e.step, tensor_util.make_ndarray(e.tensor_proto).item().decode()) for e in events.Tensors("sample")]
    want = [(s["step"], "    " + s["text"].replace("\n", "\n    ")) for s in lines(run / "samples.jsonl")]
    mark(f"{name}.reader.differing_texts", sum(a != b for a, b in zip(texts, want)) + abs(len(texts) - len(want)), 0)


class Server:
    """TensorBoard as users start it."""

    def __init__(self, logdir, log):
        self.log = log
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", logdir, "--port", "0", "--samples_per_plugin=scalars=100000,text=1000"],
            stdout=log.open("w"), stderr=subprocess.STDOUT,
        )

    def __enter__(self):
        for _ in range(600):
            if found := re.search(r"http://(localhost|127\.0\.0\.1):(\d+)/", self.log.read_text()):
                self.base = f"http://127.0.0.1:{found[2]}/data/"
                return self
            time.sleep(0.1)
        raise SystemExit(self.log.read_text())

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()

    def text(self, path, **query):
        with urllib.request.urlopen(self.base + path + "?" + urllib.parse.urlencode(query)) as answer:
            return answer.read().decode()

    def json(self, path, **query):
        return json.loads(self.text(path, **query))


def by_server(name, run, log):
    with Server(run, log) as server:
        want = expected(run)
        for _ in range(100):  # it loads in the background
            tags = server.json("plugin/scalars/tags").get("tensorboard", {})
            if "train/loss" in tags and len(server.json("plugin/scalars/scalars", run="tensorboard", tag="train/loss")) == len(want["train/loss"]):
                break
            time.sleep(0.1)
        curves = {tag: [(step, v) for _, step, v in server.json("plugin/scalars/scalars", run="tensorboard", tag=tag)] for tag in want}
        compare(f"{name}.server", want, curves)
        shown = server.json("plugin/text/text", run="tensorboard", tag="sample")
        mark(f"{name}.server.samples_shown", len(shown), len(lines(run / "samples.jsonl")))
        mark(f"{name}.server.samples_as_code", sum("<code>" in s["text"] for s in shown), len(shown))


def projector(programs, work, run, log):
    name = "projector." + pathlib.Path(run).name
    out = work / "projector"
    subprocess.run([programs / "inspect", "embeddings", run, "--export", out, "--json"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    table = np.loadtxt(out / "tensors.tsv", dtype=np.float32, delimiter="\t", ndmin=2)
    with Server(out, log) as server:
        [entry] = server.json("plugin/projector/runs")
        [tensor] = server.json("plugin/projector/info", run=entry)["embeddings"]
        mark(f"{name}.shape_differs", int(tuple(tensor["tensorShape"]) != table.shape), 0)
        url = server.base + "plugin/projector/tensor?" + urllib.parse.urlencode({"run": entry, "name": tensor["tensorName"]})
        with urllib.request.urlopen(url) as answer:
            got = np.frombuffer(answer.read(), dtype="<f4").reshape(table.shape)
        mark(f"{name}.differing_values", int((got != table).sum()), 0)
        metadata = server.text("plugin/projector/metadata", run=entry, name=tensor["tensorName"])
        mark(f"{name}.rows_named", metadata.rstrip("\n").count("\n"), len(table))


def main():
    programs, runs = pathlib.Path(sys.argv[1]).resolve(), [pathlib.Path(run).resolve() for run in sys.argv[2:]]
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        text = pathlib.Path("testdata/tinyshakespeare/input.txt").read_text()[:100_000]
        (work / "text.txt").write_text(text)
        subprocess.run([programs / "prep", "shard", "text.txt", "-o", "shards", "--tokenizer", "char", "--split-docs", "blank", "--val", "0.1"],
                       cwd=work, check=True, capture_output=True)
        train(programs, work, "killed", 2)
        train(programs, work, "ar", 0, "--objective", "ar")
        mark("killed.sessions", len(list((work / "killed" / "tensorboard").iterdir())), 3)
        for name in ("killed", "ar"):
            by_reader(name, work / name)
            by_server(name, work / name, work / "server.log")
        for run in runs or [work / "killed"]:
            projector(programs, work, run, work / "server.log")


main()
