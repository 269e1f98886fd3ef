"""Model folders in safetensors, tokenizers, transformers and PyTorch: logits, table, samples and tokens beside ours.

    check_model.py PROGRAMS RUN...
"""

import pathlib
import shutil
import subprocess
import sys
import tomllib

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, GenerationConfig

programs, runs = pathlib.Path(sys.argv[1]), sys.argv[2:]
text = "ROMEO:\nWhat's in a name? That which we call a rose\n\tBy any other name, würde 12 34 smell as sweet ☂."

# What a user without transformers does, in a process that cannot import it.
PLAIN = """
import sys
sys.modules["transformers"] = None
sys.path.insert(0, sys.argv[1])
import torch
from modeling_textwarp import load
from safetensors.torch import load_file, save_file
ours = load_file(sys.argv[2])
with torch.no_grad():
    logits = load(sys.argv[1]).network(ours["features"], torch.tensor([1.0, 3.0], dtype=torch.float64))
save_file({"logits": logits.contiguous()}, sys.argv[3])
"""


def mark(name, value, relation, target):
    ok = value <= target if relation == "<=" else value >= target
    print(f"mark interop.{name} {value:.3g} {relation} {target:g} {'ok' if ok else 'short'}")


def back(model, run, made):
    """The largest difference of a weight that goes back as transformers saves it, in 16 bits, and comes out again."""
    with torch.no_grad():
        model.head.bias += 0.25  # as if it had learned
    model.bfloat16().save_pretrained(made["changed"])
    shutil.copy(made["hf"] + "/tokenizer.json", made["changed"])
    stream = tomllib.loads((pathlib.Path(run) / "config.toml").read_text())["data"]["stream"]
    shutil.rmtree(made["back"], ignore_errors=True)
    subprocess.run([programs / "train", "import", made["changed"], "--stream", stream, "-o", made["back"]], check=True)
    subprocess.run([programs / "train", "export", made["back"], "-o", made["again"]], check=True)
    again = load_file(made["again"] + "/model.safetensors")
    return max((again[name] - tensor.float()).abs().max().item() for name, tensor in model.state_dict().items())


for run in runs:
    name = pathlib.Path(run).name
    made = {kind: str(programs.parent / f"{name}-{kind}") for kind in ("hf", "dump.safetensors", "plain.safetensors", "table", "changed", "back", "again")}
    folder = made["hf"]
    subprocess.run([programs / "train", "export", run, "-o", folder], check=True)
    subprocess.run([programs / "interop", run, made["dump.safetensors"], text], check=True)
    subprocess.run([programs / "inspect", "embeddings", run, "--export", made["table"]], check=True, capture_output=True)
    ours = load_file(made["dump.safetensors"])

    model = AutoModel.from_pretrained(folder, trust_remote_code=True).eval()
    GenerationConfig.from_pretrained(folder)
    with torch.no_grad():
        logits = model.network(ours["features"], torch.tensor([1.0, 3.0], dtype=torch.float64))
    mark(f"{name}.logits.max_abs", (logits - ours["logits"]).abs().max().item(), "<=", 1e-4)
    mark(f"{name}.table.max_abs", (model.table() - ours["table"]).abs().max().item(), "<=", 1e-5)
    exported = load_file(made["table"] + "/embeddings.safetensors")["embed_tokens.weight"]
    mark(f"{name}.embeddings.max_abs", (exported - ours["table"]).abs().max().item(), "<=", 1e-5)
    subprocess.run([sys.executable, "-c", PLAIN, folder, made["dump.safetensors"], made["plain.safetensors"]], check=True)
    plain = load_file(made["plain.safetensors"])["logits"]
    mark(f"{name}.logits.without_transformers.max_abs", (plain - ours["logits"]).abs().max().item(), "<=", 1e-4)

    if "noise" in ours:
        ids, _ = model.sample(steps=20, temperature=0.8, guidance=1.5, n=2, noise=ours["noise"])
    else:
        ids = model.predict(torch.zeros(2, 0), ours["ids"].shape[1], temperature=0.8, top_p=0.9, uniform=ours["uniform"])
    mark(f"{name}.samples.same_tokens", (ids == ours["ids"]).float().mean().item(), ">=", 0.999)

    want = ours["tokens"].int().tolist()
    for library, tokens in {
        "tokenizers": Tokenizer.from_file(folder + "/tokenizer.json").encode(text, add_special_tokens=False).ids,
        "transformers": AutoTokenizer.from_pretrained(folder, trust_remote_code=True)(text, add_special_tokens=False)["input_ids"],
    }.items():
        mark(f"{name}.tokens.{library}.same", float(tokens == want), ">=", 1)

    mark(f"{name}.back.max_abs", back(model, run, made), "<=", 0)
