"""How a peer obeys the driver: the description of its variant comes in JSON as
the only argument, then lines on standard input, each a method of the peer and
its arguments. Every answer is a line of JSON."""

import json
import sys

import torch


def serve(peer):
    base = resident()
    c = json.loads(sys.argv[1])
    torch.set_num_threads(c["threads"])
    torch.manual_seed(1)
    made = peer(c)

    def answer(x):
        print(json.dumps(x), flush=True)

    answer({"base": base, "about": f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"})
    for line in sys.stdin:
        method, *arguments = line.split()
        answer(getattr(made, method)(*arguments))


def resident():
    """Bytes in memory."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmRSS:"))
