"""The peer of the recipe: nanoGPT's small model of characters, on a CPU.

It is started by the driver and obeys (see serve.py):

    run N      makes N steps, answers with their mean time in milliseconds
    evaluate   answers with the mean loss of the last tenth of the text, in nats

The recipe is that of nanoGPT's README for machines without a GPU: learned
positions, no biases, a head that shares the table's weights, no dropout.
"""

import math
import time

import torch
import torch.nn.functional as F
from torch import nn

from serve import serve


class Block(nn.Module):
    def __init__(self, width, mlp, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, mlp, bias=False), nn.Linear(mlp, width, bias=False)

    def forward(self, x):
        b, l, w = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, l, 3, self.heads, w // self.heads).transpose(1, 3).unbind(2)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(b, l, w))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["width"]
        self.tokens, self.positions = nn.Embedding(c["vocab"], width), nn.Embedding(c["length"], width)
        self.blocks = nn.ModuleList(Block(width, c["mlp"], c["heads"]) for _ in range(c["layers"]))
        self.norm = nn.LayerNorm(width, bias=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                branch = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(p, std=.02 / math.sqrt(2 * c["layers"]) if branch else .02)

    def forward(self, ids, targets):
        x = self.tokens(ids) + self.positions.weight
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.tokens.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


class Trainer:
    def __init__(self, c):
        with open(c["file"], encoding="utf-8", newline="") as f:
            text = f.read()
        number = {char: i for i, char in enumerate(sorted(set(text)))}
        ids = torch.tensor([number[char] for char in text])
        cut = len(ids) * 9 // 10
        self.c, self.text, self.held_out = {**c, "vocab": len(number)}, ids[:cut], ids[cut:]
        self.net = GPT(self.c)
        self.loss = torch.compile(self.net) if c["compile"] else self.net
        matrices = [p for p in self.net.parameters() if p.dim() == 2]
        rest = [p for p in self.net.parameters() if p.dim() < 2]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": c["decay"]}, {"params": rest, "weight_decay": 0}],
            betas=(.9, .99), fused=True)
        self.steps = 0

    def rate(self):
        c = self.c
        if self.steps < c["warmup"]:
            return c["lr"] * (self.steps + 1) / (c["warmup"] + 1)
        done = (self.steps - c["warmup"]) / (c["steps"] - c["warmup"])
        return c["lr"] * (c["final_lr"] + (1 - c["final_lr"]) * (1 + math.cos(math.pi * min(1, done))) / 2)

    def windows(self, ids, starts):
        rows = ids[starts[:, None] + torch.arange(self.c["length"] + 1)]
        return rows[:, :-1], rows[:, 1:]

    def step(self):
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        starts = torch.randint(len(self.text) - self.c["length"], (self.c["batch"],))
        self.loss(*self.windows(self.text, starts)).backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.steps += 1

    def run(self, n):
        began = time.perf_counter()
        for _ in range(int(n)):
            self.step()
        return [1e3 * (time.perf_counter() - began) / int(n)]

    @torch.no_grad()
    def evaluate(self):
        """Of all windows, one behind the other; the first character of each is read."""
        starts = torch.arange(0, len(self.held_out) - self.c["length"], self.c["length"])
        losses = [self.net(*self.windows(self.held_out, s)) * len(s) for s in starts.split(128)]
        return float(sum(losses)) / len(starts)


if __name__ == "__main__":
    serve(Trainer)
