"""The peer of the benchmark: the same model and the same step in PyTorch.

It is started by the driver and obeys (see serve.py):

    run N              makes N steps, answers with the milliseconds of each
    agree CHUNK FILE   compares loss and gradients with those in the file

Written to be as fast on a CPU as PyTorch allows without leaving PyTorch. What
was tried and did not pay is in README.md.
"""

import itertools
import math
import time

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import nn

from serve import serve

FREQUENCIES = 64  # of the time features
TIME_WIDTH = 2 * FREQUENCIES


class Block(nn.Module):
    def __init__(self, width, mlp, heads):
        super().__init__()
        self.heads = heads
        self.modulation = nn.Linear(TIME_WIDTH, 4 * width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, mlp)
        self.down = nn.Linear(mlp, width)

    def forward(self, x, time, cos, sin):
        b, l, w = x.shape
        gamma1, beta1, gamma2, beta2 = self.modulation(time).unsqueeze(1).chunk(4, -1)
        qkv = self.qkv(modulated_norm(x, gamma1, beta1)).view(b, l, 3, self.heads, w // self.heads)
        q, k = rotate(qkv[:, :, :2], cos, sin).transpose(1, 3).unbind(2)
        attended = F.scaled_dot_product_attention(q, k, qkv[:, :, 2].transpose(1, 2))
        x = x + self.out(attended.transpose(1, 2).reshape(b, l, w))
        hidden = F.gelu(self.up(modulated_norm(x, gamma2, beta2)), approximate="tanh")
        return x + self.down(hidden)

    def position(self, x, modulation, cache, at, seen, mask, cos, sin):
        """Of a sequence that grows, [b, width]: keys and values are put into the cache."""
        gamma1, beta1, gamma2, beta2 = modulation
        qkv = self.qkv(modulated_norm(x, gamma1, beta1)).view(len(x), 3, self.heads, -1)
        q, k = rotate(qkv[:, :2], cos, sin).unbind(1)
        cache[0].index_copy_(2, at, k[:, :, None])
        cache[1].index_copy_(2, at, qkv[:, 2, :, None])
        keys, values = cache[:, :, :, :seen]
        attended = F.scaled_dot_product_attention(q[:, :, None], keys, values, attn_mask=mask)
        x = x + self.out(attended.reshape(len(x), -1))
        hidden = F.gelu(self.up(modulated_norm(x, gamma2, beta2)), approximate="tanh")
        return x + self.down(hidden)


def modulated_norm(x, gamma, beta):
    return torch.addcmul(beta, F.layer_norm(x, x.shape[-1:]), 1 + gamma)


def rotate(x, cos, sin):
    """Turns queries and keys [b, l, 2, heads, hd]; feature j is paired with j + hd/2."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Denoiser(nn.Module):
    def __init__(self, c):
        super().__init__()
        w, hd = c["width"], c["width"] // c["heads"]
        self.register_buffer("frequencies", torch.zeros(FREQUENCIES))
        self.time_in = nn.Linear(TIME_WIDTH, TIME_WIDTH)
        self.time_out = nn.Linear(TIME_WIDTH, TIME_WIDTH)
        self.input = nn.Linear(3 * c["embed"] + 1, w)
        self.blocks = nn.ModuleList(Block(w, c["mlp"], c["heads"]) for _ in range(c["layers"]))
        self.final_modulation = nn.Linear(TIME_WIDTH, 2 * w)
        self.head = nn.Linear(w, c["vocab"])
        angle = torch.outer(torch.arange(c["length"]).double(), 10000 ** (-torch.arange(0, hd, 2).double() / hd))
        self.register_buffer("cos", angle.cos().float()[:, None, None])  # [l, 1, 1, hd/2]
        self.register_buffer("sin", angle.sin().float()[:, None, None])

    def linears(self):
        """The layers by the names that they have in the file."""
        yield from (("time.in", self.time_in), ("time.out", self.time_out), ("input", self.input))
        for i, b in enumerate(self.blocks):
            for name, layer in (("modulation", b.modulation), ("attention.qkv", b.qkv), ("attention.out", b.out),
                                ("mlp.up", b.up), ("mlp.down", b.down)):
                yield f"blocks.{i}.{name}", layer
        yield from (("final.modulation", self.final_modulation), ("head", self.head))

    def time(self, t):
        angle = self.frequencies * t.log()[:, None]
        time = F.gelu(self.time_in(torch.cat((angle.sin(), angle.cos()), -1)), approximate="tanh")
        return F.gelu(self.time_out(time), approximate="tanh")

    def forward(self, features, t):
        """The hidden state before the head, [b, l, width]."""
        time = self.time(t)
        x = self.input(features)
        for block in self.blocks:
            x = block(x, time, self.cos, self.sin)
        gamma, beta = self.final_modulation(time).unsqueeze(1).chunk(2, -1)
        return modulated_norm(x, gamma, beta)


class ChunkedCrossEntropy(torch.autograd.Function):
    """Head and cross-entropy by chunks of rows, the gradients worked out on the
    way: the logits of all rows never exist at once."""

    @staticmethod
    def forward(ctx, hidden, weight, bias, targets, scale, chunk):
        ce = hidden.new_empty(len(hidden))
        d_hidden, d_weight, d_bias = torch.empty_like(hidden), torch.zeros_like(weight), torch.zeros_like(bias)
        rows = torch.arange(chunk)
        for i in range(0, len(hidden), chunk):
            h, y = hidden[i:i + chunk], targets[i:i + chunk]
            logits = torch.addmm(bias, h, weight.t())
            normaliser = logits.logsumexp(-1, keepdim=True)
            at = (rows[:len(h)], y)
            torch.sub(normaliser[:, 0], logits[at], out=ce[i:i + chunk])
            grad = logits.sub_(normaliser).exp_()
            grad[at] -= 1
            grad *= scale
            torch.mm(grad, weight, out=d_hidden[i:i + chunk])
            d_weight.addmm_(grad.t(), h)
            d_bias += grad.sum(0)
        ctx.save_for_backward(d_hidden, d_weight, d_bias)
        ctx.mark_non_differentiable(ce)
        return ce.sum() * scale, ce

    @staticmethod
    def backward(ctx, grad, _):
        d_hidden, d_weight, d_bias = ctx.saved_tensors
        return d_hidden.mul_(grad), d_weight.mul_(grad), d_bias.mul_(grad), None, None, None


class Warp:
    """The distribution of noise levels: a piecewise linear function of ln t, as
    ours is. It is fitted in closed form to the losses seen so far by a kernel
    regression, which is simpler and cheaper than our local lines on a ladder of
    memories, and much cheaper than the gradient steps of the paper."""

    def __init__(self, t_min, t_max, nodes=128):
        self.s = torch.linspace(math.log(t_min), math.log(t_max), nodes, dtype=torch.float64)
        self.even = torch.linspace(0, 1, nodes, dtype=torch.float64)
        self.cdf = self.even.clone()
        self.kernel = torch.exp(-.5 * ((self.even[:, None] - self.even) / .05) ** 2)
        self.sums = torch.zeros(nodes, 2, dtype=torch.float64)  # weight, weight times loss

    def quantile(self, u):
        train = torch.lerp(self.cdf, self.even, .05)
        k = torch.searchsorted(train, u).clamp_(1, len(train) - 1)
        share = (u - train[k - 1]) / (train[k] - train[k - 1])
        return torch.lerp(self.s[k - 1], self.s[k], share).exp()

    def observe(self, t, loss, weight):
        nearest = ((t.log() - self.s[0]) / (self.s[1] - self.s[0])).round().long().clamp_(0, len(self.s) - 1)
        self.sums.mul_(.995).index_add_(0, nearest, torch.stack((weight, weight * loss), -1))
        smooth = self.kernel @ self.sums
        curve = (smooth[:, 1] / smooth[:, 0].clamp_min(1e-9)).cummax(0).values
        rise = curve - curve[0]
        self.cdf = torch.lerp(rise / rise[-1].clamp_min(1e-9), self.even, 1e-2)
        self.cdf /= self.cdf[-1].clone()


class Trainer:
    def __init__(self, c):
        self.c = c
        self.net = Denoiser(c)
        self.table = nn.Parameter(torch.zeros(c["vocab"], c["embed"]))
        self.data = {}
        with safe_open(c["file"], "pt") as f:
            with torch.no_grad():
                self.net.frequencies.copy_(f.get_tensor("time.frequencies"))
                for name, layer in self.net.linears():
                    layer.weight.copy_(f.get_tensor(name + ".weight").t())
                    layer.bias.copy_(f.get_tensor(name + ".bias"))
                self.table.copy_(f.get_tensor("embeddings.weight"))
            for name in ("features", "t", "ids"):
                self.data[name] = f.get_tensor(name)
        b, l = c["batch"], c["length"]
        self.ids = self.data["ids"].long().view(b, l)
        self.features, self.t = self.data["features"].view(b, l, -1), self.data["t"]
        self.parameters = list(self.net.parameters()) + ([self.table] if c["step"] == "cdcd" else [])
        self.average = [p.detach().clone() for p in self.parameters]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=c["lr"], betas=(.9, .99), eps=1e-8,
                                           weight_decay=0, fused=True)
        self.warp = Warp(c["t_min"], c["t_max"])
        self.body, self.head = self.net, self.head_loss
        if c["compile"]:
            self.body, self.head = torch.compile(self.net, dynamic=False), torch.compile(self.head_loss, dynamic=True)
        self.refresh()

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.c["precision"] == "bf16")

    @torch.no_grad()
    def refresh(self):
        if self.c["step"] != "plain":
            self.E = F.normalize(self.table, dim=-1) * math.sqrt(self.c["embed"])

    def head_loss(self, hidden, targets):
        return F.cross_entropy(self.net.head(hidden), targets, reduction="none")

    def loss(self, hidden, targets):
        """The mean cross-entropy of rows, and that of each."""
        if self.c["chunk"]:
            head = self.net.head
            return ChunkedCrossEntropy.apply(hidden, head.weight, head.bias, targets, 1 / len(targets), self.c["chunk"])
        ce = self.head(hidden, targets)
        return ce.mean(), ce.detach()

    def plain_loss(self):
        with self.autocast():
            hidden = self.body(self.features, self.t)
            return self.loss(hidden.flatten(0, 1), self.ids.flatten())[0]

    def draw(self):
        """Masks of the mixed kind, noise levels, noise, and who loses the condition."""
        b, l, d = self.c["batch"], self.c["length"], self.c["embed"]
        given = torch.randint(l, (b, 1))
        rank = torch.where(torch.rand(b, 1) < .5, torch.arange(l), torch.rand(b, l).argsort(-1))
        mask = rank >= given
        u = (torch.arange(b, dtype=torch.float64) + torch.rand((), dtype=torch.float64)) / b
        return mask, self.warp.quantile(u[torch.randperm(b)]), torch.randn(b, l, d), torch.rand(b) < .1

    def cdcd_loss(self, mask, t, noise, dropped):
        d, k = self.c["embed"], self.c["batch"] // 2
        level = t.float()[:, None, None]
        m = mask[..., None]
        clean = F.normalize(F.embedding(self.ids, self.table), dim=-1) * math.sqrt(d)
        x = torch.where(m, torch.addcmul(clean, noise, level) * torch.rsqrt(level * level + 1), 0)
        condition = torch.where(m | dropped[:, None, None], 0, clean)
        guess = torch.zeros_like(noise)
        t = t.float()
        with torch.no_grad(), self.autocast():
            # The first guess is wanted at noisy positions of half of the sequences.
            first = torch.cat((x[:k], condition[:k], m[:k], guess[:k]), -1)
            noisy = (mask[:k] & ~dropped[:k, None]).flatten().nonzero()[:, 0]
            hidden = self.body(first, t[:k]).flatten(0, 1)[noisy]
            guess.view(-1, d)[noisy] = self.interpolate(hidden).float()
        with self.autocast():
            features = torch.cat((x, condition, m, guess), -1)
            noisy = mask.flatten().nonzero()[:, 0]
            hidden = self.body(features, t).flatten(0, 1)[noisy]
            loss, ce = self.loss(hidden, self.ids.flatten()[noisy])
        return loss, ce, features, noisy

    def interpolate(self, hidden):
        chunk = self.c["chunk"] or len(hidden)
        return torch.cat([self.net.head(h).softmax(-1) @ self.E for h in hidden.split(chunk)])

    def step(self):
        if self.c["step"] == "plain":
            self.plain_loss().backward()
        else:
            mask, t, noise, dropped = self.draw()
            loss, ce, _, noisy = self.cdcd_loss(mask, t, noise, dropped)
            loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1, foreach=True)
        self.optimizer.step()
        torch._foreach_lerp_(self.average, self.parameters, 1 - self.c["ema"])
        self.optimizer.zero_grad(set_to_none=True)
        self.refresh()
        if self.c["step"] == "cdcd":
            count = mask.sum(-1)
            sums = torch.zeros(len(t)).index_add_(0, noisy // self.c["length"], ce.float())
            self.warp.observe(t, (sums / count).double(), count.double())

    def run(self, n):
        times = []
        for _ in range(int(n)):
            began = time.perf_counter()
            self.step()
            times.append(1e3 * (time.perf_counter() - began))
        return times

    def agree(self, chunk, path):
        self.c["chunk"] = int(chunk)
        return compare(self, read(path))


class Sampler(Trainer):
    """Euler's method from noise to tokens: nothing is given, one level for the
    whole batch, every guess is shown to the next call."""

    def __init__(self, c):
        super().__init__(c)
        self.net.requires_grad_(False)
        self.guess = torch.compile(self.interpolated, dynamic=False) if c["compile"] else self.interpolated
        self.levels = torch.logspace(math.log10(c["t_max"]), math.log10(c["t_min"]), 1000)

    def logits(self, x, guess, t):
        b, l, d = x.shape
        features = torch.cat((x * torch.rsqrt(t * t + 1), x.new_zeros(b, l, d), x.new_ones(b, l, 1), guess), -1)
        return self.net.head(self.net(features, t[None]))

    def interpolated(self, x, guess, t):
        return self.logits(x, guess, t).softmax(-1) @ self.E

    @torch.inference_mode()
    def sample(self, x, levels):
        """The last guess and the tokens."""
        guess = torch.zeros_like(x)
        with self.autocast():
            for t, after in itertools.pairwise(levels):
                guess = self.guess(x, guess, t).float()
                x = torch.lerp(guess, x, after / t)
            logits = self.logits(x, guess, levels[-1])
        return guess, logits.softmax(-1).max(-1)

    def run(self, n):
        n = int(n)
        began = time.perf_counter()
        levels = self.levels[torch.linspace(0, len(self.levels) - 1, n + 1).long()]
        self.sample(torch.randn(self.c["batch"], self.c["length"], self.c["embed"]) * levels[0], levels)
        return [1e3 * (time.perf_counter() - began) / (n + 1)]

    def agree(self, _, path):
        ours = read(path)
        x0, (_, tokens) = self.sample(ours["noise"].view(*self.ids.shape, -1), ours["levels"])
        same = tokens.flatten() == ours["tokens"].long()
        return {"tokens": len(same), "same": int(same.sum()),
                "last": apart(x0, ours["last"])}


class Writer(Trainer):
    """From left to right with a cache of keys and values: the token before is in
    the place of a given embedding, the level is 1, every token is drawn."""

    def __init__(self, c):
        super().__init__(c)
        self.net.requires_grad_(False)
        self.next = torch.compile(self.position, dynamic=False) if c["compile"] else self.position
        b, l, w, heads = (c[k] for k in ("batch", "length", "width", "heads"))
        self.caches = [torch.zeros(2, b, heads, l, w // heads) for _ in self.net.blocks]
        self.places = torch.arange(l)

    def position(self, e, first, at, seen, modulations):
        """The logits behind tokens [b, d] at a place. A compiled call looks at all of
        the cache through a mask, so that its shapes stay the same."""
        blank = torch.zeros_like(e)
        x = self.net.input(torch.cat((blank, e, first.expand(len(e), 1), blank), -1))
        mask = (self.places <= at)[None] if self.c["compile"] else None
        cos, sin = self.net.cos[at], self.net.sin[at]
        for block, modulation, cache in zip(self.net.blocks, modulations, self.caches):
            x = block.position(x, modulation, cache, at, seen, mask, cos, sin)
        return self.net.head(modulated_norm(x, *modulations[-1]))

    @torch.inference_mode()
    def write(self, n, given=None):
        """Tokens and the last logits: drawn, or the most probable ones behind those
        that are given."""
        time = self.net.time(torch.ones(1))
        modulations = [b.modulation(time).chunk(4, -1) for b in self.net.blocks]
        modulations.append(self.net.final_modulation(time).chunk(2, -1))
        e, ids = torch.zeros(self.c["batch"], self.c["embed"]), []
        for i in range(n):
            seen = self.c["length"] if self.c["compile"] else i + 1
            logits = self.next(e, torch.full((1, 1), float(i == 0)), self.places[i:i + 1], seen, modulations)
            if given is None:
                ids.append(torch.multinomial(logits.softmax(-1), 1)[:, 0])
            else:
                ids.append(given if i == 0 else logits.argmax(-1))
            e = F.embedding(ids[-1], self.E)
        return torch.stack(ids, 1), logits

    def run(self, n):
        began = time.perf_counter()
        self.write(int(n))
        return [1e3 * (time.perf_counter() - began) / int(n)]

    def agree(self, _, path):
        ours = read(path)
        tokens, logits = self.write(self.c["length"], self.ids[:, 0])
        same = tokens == ours["tokens"].long()
        return {"tokens": same.numel(), "same": int(same.sum()), "last": apart(logits, ours["last"])}


def apart(theirs, ours):
    """The largest difference beside the largest number."""
    return float((theirs.flatten() - ours).abs().max() / ours.abs().max())


def read(path):
    with safe_open(path, "pt") as f:
        return {name: f.get_tensor(name) for name in f.keys()}


def compare(trainer, ours):
    """Our step again: the differences of loss, inputs and gradients."""
    gradients = {}
    if trainer.c["step"] == "plain":
        features = trainer.features.clone().requires_grad_()
        trainer.features, kept = features, trainer.features
        loss = trainer.plain_loss()
        loss.backward()
        trainer.features = kept
        gradients["features"] = features.grad.flatten()
    else:
        loss, features = same_cdcd_step(trainer, ours)
        loss.backward()
        gradients["embeddings.weight"] = trainer.table.grad
    for name, layer in trainer.net.linears():
        gradients[name + ".weight"], gradients[name + ".bias"] = layer.weight.grad.t(), layer.bias.grad
    missing = {"grad." + name for name in gradients} ^ {name for name in ours if name.startswith("grad.")}
    assert not missing, f"gradients of one side only: {missing}"

    def difference(norm):
        return max((float(norm(g - ours["grad." + name]) / norm(ours["grad." + name])), name) for name, g in gradients.items())

    (by_norm, norm_of), (by_max, max_of) = difference(torch.linalg.vector_norm), difference(lambda x: x.abs().max())
    inputs = ours["features"]
    answer = {"loss_ours": float(ours["loss"]), "loss_peer": float(loss.detach()), "tensors": len(gradients),
              "features": float((features.detach().flatten() - inputs).abs().max() / inputs.abs().max()),
              "norm": by_norm, "norm_of": norm_of, "max": by_max, "max_of": max_of}
    trainer.optimizer.zero_grad(set_to_none=True)
    return answer


def same_cdcd_step(trainer, ours):
    """Reads masks, levels, noise and lost conditions from our network's input."""
    b, l, d = (trainer.c[k] for k in ("batch", "length", "embed"))
    inputs, t = ours["features"].view(b, l, -1), ours["t"].double()
    mask, level = inputs[..., 2 * d] != 0, ours["t"][:, None, None]
    noise = (inputs[..., :d] * torch.sqrt(level * level + 1) - trainer.E[trainer.ids]) / level
    # Neither condition nor guess; the guess tells it from a sequence that is all noisy.
    dropped = ((inputs[..., d:2 * d] == 0) & (inputs[..., 2 * d + 1:] == 0)).all(-1).all(-1)
    loss, _, features, _ = trainer.cdcd_loss(mask, t, noise, dropped)
    return loss, features


if __name__ == "__main__":
    serve(lambda c: {"sample": Sampler, "write": Writer}.get(c["step"], Trainer)(c))
