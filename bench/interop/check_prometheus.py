"""The metrics of a run in training, read with the text parser of prometheus_client.

    check_prometheus.py PROGRAMS [RUN...]

Trains a small run with --metrics-listen, reads the metrics when it has been saved, and
compares them with its logs; then asks in the name of another host.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families


def mark(name, value, want):
    print(f"mark interop.prometheus.{name} {value} == {want} {'ok' if value == want else 'short'}")


def scrape(url):
    with urllib.request.urlopen(url) as answer:
        return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}


def status(request):
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code


def value(families, name, **labels):
    return next((s.value for f in families.values() for s in f.samples if s.name == name and s.labels == labels), None)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def main():
    programs = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        (work / "text.txt").write_text(pathlib.Path("testdata/tinyshakespeare/input.txt").read_text()[:100_000])
        subprocess.run([programs / "prep", "shard", "text.txt", "-o", "shards", "--tokenizer", "char", "--split-docs", "blank", "--val", "0.1"],
                       cwd=work, check=True, capture_output=True)
        child = subprocess.Popen(
            [programs / "train", "--stream", "shards", "-o", "run", "--length", "32", "--batch", "8", "--steps", "100000",
             "--set=run.eval_every=100", "--set=run.save_every=100", "--metrics-listen", "127.0.0.1:0"],
            cwd=work, stderr=subprocess.PIPE, text=True)
        try:
            for line in child.stderr:
                if found := re.match(r"metrics at (http://\S+)", line):
                    url = found[1]
                    break
            else:
                raise SystemExit("train says no address")
            while value(families := scrape(url), "textwarp_checkpoint_step") is None:
                time.sleep(0.1)
            logs = lines(work / "run" / "metrics.jsonl")
            foreign = status(urllib.request.Request(url, headers={"Host": "attacker.example"}))
        finally:
            child.kill()
            child.wait()
    mark("status_for_another_host", foreign, 403)
    step, saved = value(families, "textwarp_step"), value(families, "textwarp_checkpoint_step")
    mark("families", len(families), 12)
    mark("families_without_help", sum(not f.documentation for f in families.values()), 0)
    mark("tokens_is_a", families["textwarp_tokens"].type, "counter")
    mark("step_before_checkpoint", int(step < saved), 0)

    newest = [m for m in logs if "eval" not in m and m["step"] <= step][-1]
    wrong = sum(
        value(families, "textwarp_" + name) != newest.get(key, 0)
        for name, key in {"loss_nats": "loss", "gradient_norm": "grad_norm", "learning_rate": "lr", "tokens_total": "tokens", "skipped_steps_total": "skipped"}.items()
    )
    held_out = [m["eval"] for m in logs if "eval" in m and m["step"] <= step][-1]
    wrong += sum(value(families, "textwarp_held_out_loss_nats", t=f"{t:g}") != ce for t, ce in zip(held_out["t"], held_out["ce"]))
    mark("differing_values", wrong, 0)
    mark("checkpoint_age_above_a_minute", int(abs(time.time() - value(families, "textwarp_checkpoint_timestamp_seconds")) > 60), 0)


main()
