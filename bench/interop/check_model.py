"""Model folders in safetensors, transformers and PyTorch: logits, table and samples beside ours."""

import pathlib
import subprocess
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer, GenerationConfig

programs, runs = pathlib.Path(sys.argv[1]), sys.argv[2:]


def mark(name, value, relation, target):
    ok = value <= target if relation == "<=" else value >= target
    print(f"mark interop.{name} {value:.3g} {relation} {target:g} {'ok' if ok else 'short'}")


for run in runs:
    name = pathlib.Path(run).name
    folder = str(programs.parent / (name + "-hf"))
    dumped = str(programs.parent / (name + "-dump.safetensors"))
    subprocess.run([programs / "train", "export", run, "-o", folder], check=True)
    subprocess.run([programs / "interop", run, dumped], check=True)
    model = AutoModel.from_pretrained(folder, trust_remote_code=True).eval()
    AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    GenerationConfig.from_pretrained(folder)
    ours = load_file(dumped)
    with torch.no_grad():
        logits = model.network(ours["features"], torch.tensor([1.0, 3.0], dtype=torch.float64))
    mark(f"{name}.logits.max_abs", (logits - ours["logits"]).abs().max().item(), "<=", 1e-4)
    mark(f"{name}.table.max_abs", (model.table() - ours["table"]).abs().max().item(), "<=", 1e-5)
    if "noise" in ours:
        ids, _ = model.sample(steps=20, temperature=0.8, guidance=1.5, n=2, noise=ours["noise"])
        mark(f"{name}.samples.same_tokens", (ids == ours["ids"]).float().mean().item(), ">=", 0.999)
