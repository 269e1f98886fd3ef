# SPDX-License-Identifier: Apache-2.0
"""A model of textwarp in PyTorch: continuous diffusion for text (arXiv 2211.15089), or its autoregressive baseline.

With transformers:  model = AutoModel.from_pretrained(folder, trust_remote_code=True)
With PyTorch alone: model = load(folder)

    ids, confidence = model.sample(n=2, steps=100, temperature=0.8)    # objective "cdcd"
    ids = model.predict([[]], new_tokens=64, temperature=0.8)          # objective "ar"
"""

import json
import math
import pathlib
import types

import torch
from torch import nn
from torch.nn import functional as F

try:
    from transformers import PretrainedConfig, PreTrainedModel
except ImportError:  # PyTorch alone
    PretrainedConfig, PreTrainedModel = None, None


class Block(nn.Module):
    """Attention and MLP, each after a norm whose scale and shift depend on the noise level."""

    def __init__(self, c):
        super().__init__()
        w = c.hidden_size
        self.heads, self.causal = c.num_attention_heads, c.causal
        self.modulation = nn.Linear(c.time_width, 4 * w)
        self.attention = nn.ModuleDict({"qkv": nn.Linear(w, 3 * w), "out": nn.Linear(w, w)})
        self.mlp = nn.ModuleDict({"up": nn.Linear(w, c.intermediate_size), "down": nn.Linear(c.intermediate_size, w)})

    def forward(self, x, time, cos, sin):
        b, l, w = x.shape
        scale1, shift1, scale2, shift2 = self.modulation(time)[:, None].chunk(4, -1)
        qkv = self.attention["qkv"](norm(x, scale1, shift1)).view(b, l, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotate(qkv[0], cos, sin), rotate(qkv[1], cos, sin)
        seen = F.scaled_dot_product_attention(q, k, qkv[2], is_causal=self.causal)
        x = x + self.attention["out"](seen.transpose(1, 2).reshape(b, l, w))
        hidden = F.gelu(self.mlp["up"](norm(x, scale2, shift2)), approximate="tanh")
        return x + self.mlp["down"](hidden)


def norm(x, scale, shift):
    return F.layer_norm(x, x.shape[-1:], eps=1e-5) * (1 + scale) + shift


def rotate(x, cos, sin):
    """Rotary positions; the two halves of a head are the components of its pairs."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class Network:
    """What the model does, whatever its base class."""

    def build(self, c):
        d, w = c.embed_dim, c.hidden_size
        self.embeddings = nn.Embedding(c.vocab_size, d)
        self.time = nn.ModuleDict({k: nn.Linear(c.time_width, c.time_width) for k in ("in", "out")})
        self.time.register_buffer("frequencies", torch.zeros(c.time_width // 2))
        self.input = nn.Linear(3 * d + 1, w)
        self.blocks = nn.ModuleList([Block(c) for _ in range(c.num_hidden_layers)])
        self.final = nn.ModuleDict({"modulation": nn.Linear(c.time_width, 2 * w)})
        self.head = nn.Linear(w, c.vocab_size)

    def table(self):
        """The embeddings as they are used, [V, D]: rows of norm √D."""
        w = self.embeddings.weight.double()
        w = torch.where((w == 0).all(1, keepdim=True), torch.ones_like(w), w)  # a row of zeros has no direction
        return (w * (w.shape[1] ** 0.5 / w.norm(dim=1, keepdim=True))).to(self.embeddings.weight.dtype)

    def network(self, features, t):
        """Logits [B, L, V] of features [B, L, 3D+1] at noise levels t [B], float64."""
        phase = self.time.frequencies.double() * t.double().log()[:, None]
        time = torch.cat([phase.sin(), phase.cos()], -1).to(features.dtype)
        for layer in ("in", "out"):
            time = F.gelu(self.time[layer](time), approximate="tanh")
        half = self.config.hidden_size // self.config.num_attention_heads // 2
        place = torch.arange(features.shape[1], device=features.device, dtype=torch.float64)[:, None]
        angle = place * 10000.0 ** (-torch.arange(half, device=features.device, dtype=torch.float64) / half)
        cos, sin = angle.cos().to(features.dtype), angle.sin().to(features.dtype)
        x = self.input(features)
        for block in self.blocks:
            x = block(x, time, cos, sin)
        return self.head(norm(x, *self.final["modulation"](time)[:, None].chunk(2, -1)))

    def denoise(self, x, t, given=None, mask=None, guess=None):
        """Logits of the tokens behind noisy embeddings x [B, L, D] at noise levels t [B].

        mask [B, L] is 1 where the token is to be found and 0 where it is given: given [B, L, D] holds its embedding
        there. guess is the expected embedding that the step before has found (self-conditioning). None is zeros; of
        mask, ones.
        """
        mask = torch.ones_like(x[..., 0]) if mask is None else mask.to(x.dtype)
        zero, m = torch.zeros_like(x), mask[..., None]
        given, guess = zero if given is None else given, zero if guess is None else guess
        scale = (1 / (t.double() ** 2 + 1).sqrt()).to(x.dtype)[:, None, None]
        return self.network(torch.cat([scale * x * m, given * (1 - m), m, guess * m], -1), t)

    def forward(self, input_ids=None, x=None, t=None, given=None, mask=None, guess=None):
        """Logits. With input_ids [B, L], of a model of the objective "ar": [B, L+1, V], where row i is of token i given
        those before it, and the last of the token that follows. Else see denoise."""
        if input_ids is None:
            return self.denoise(x, t, given, mask, guess)
        if self.config.objective != "ar":
            raise ValueError("this model is of diffusion: give it x and t, or call sample")
        e = self.table()[input_ids]
        b, l, d = e.shape
        features = e.new_zeros(b, l + 1, 3 * d + 1)
        features[:, 1:, d : 2 * d] = e
        features[:, 0, 2 * d] = 1
        return self.network(features, torch.ones(b, dtype=torch.float64, device=e.device))

    def quantile(self, u):
        """The learned warp: the noise level at u in [0, 1]."""
        cdf, s = self.config.warp["cdf"], self.config.warp["t"]
        log = self.config.warp["interpolation"] == "log"
        if u <= 0 or u >= 1:
            return s[0] if u <= 0 else s[-1]
        k = next(k for k in range(len(cdf) - 1) if u <= cdf[k + 1])
        a, b = (math.log(s[k]), math.log(s[k + 1])) if log else (s[k], s[k + 1])
        v = a + (b - a) * (u - cdf[k]) / (cdf[k + 1] - cdf[k])
        return math.exp(v) if log else v

    @torch.no_grad()
    def sample(self, n=1, length=None, steps=50, temperature=0.8, guidance=1.0, exact=True, tokens=None, holes=None,
               noise=None, generator=None):
        """Texts from noise by Euler's method: ids [n, length] and the model's confidence in each.

        tokens [n, length] and holes [n, length] (true where a token is to be found) give a part of the text. noise
        [n, length, D] is the first noise, of standard deviation 1. temperature is that of the score; guidance above 1
        follows what is given more closely; exact takes the step that is exact for a constant guess,
        else Euler's, which repeats itself at low temperatures.
        """
        if self.config.objective == "ar":
            raise ValueError('this model is of the objective "ar": call predict')
        e = self.table()
        if tokens is not None:
            n, length = tokens.shape
        length = length or self.config.window
        mask = torch.ones(n, length, device=e.device) if holes is None else holes.to(e.device, e.dtype)
        m = mask[..., None]
        if noise is None:
            noise = torch.randn(n, length, e.shape[1], generator=generator, device=e.device)
        given = torch.zeros_like(noise) if tokens is None else e[tokens] * (1 - m)
        levels = [self.quantile(1 - k / steps) for k in range(steps + 1)]
        x, guess = levels[0] * noise * m, torch.zeros_like(noise)
        at = lambda t: torch.full((n,), t, dtype=torch.float64, device=e.device)
        for t, following in zip(levels, levels[1:]):
            raw = self.denoise(x, at(t), given, mask, guess).softmax(-1) @ e
            clean = raw
            if guidance != 1:
                blank = self.denoise(x, at(t), None, mask, None).softmax(-1) @ e
                clean = blank + guidance * (raw - blank)
            if self.config.self_conditioning:
                guess = raw * m
            ratio = following / t
            keep = ratio ** (1 / temperature) if exact else 1 - (1 - ratio) / temperature
            x = (clean + keep * (x - clean)) * m
        confidence, ids = self.denoise(x, at(levels[-1]), given, mask, guess).softmax(-1).max(-1)
        if tokens is not None:
            ids, confidence = torch.where(mask > 0, ids, tokens), torch.where(mask > 0, confidence, 1.0)
        return ids, confidence

    @torch.no_grad()
    def predict(self, ids, new_tokens, temperature=0.8, top_p=1.0, uniform=None, generator=None):
        """Continue texts ids [n, l] by new_tokens tokens, one after the other: ids [n, l + new_tokens].

        A temperature of 0 takes the most probable token. uniform [n, new_tokens] are the random numbers in [0, 1) that
        choose from the cumulative distribution.
        """
        ids = torch.as_tensor(ids, dtype=torch.long, device=self.head.weight.device)
        if uniform is None:
            uniform = torch.rand(len(ids), new_tokens, generator=generator, dtype=torch.float64)
        for k in range(new_tokens):
            logits = self(ids)[:, -1, : self.config.text_tokens].double()
            if temperature == 0:
                chosen = logits.argmax(-1)
            else:
                p = (logits / temperature).softmax(-1)
                order = torch.arange(p.shape[1], device=p.device).expand_as(p)
                if top_p < 1:
                    p, order = p.sort(dim=-1, descending=True, stable=True)
                    p = torch.where(p.cumsum(-1) - p < top_p, p, 0)
                share = p.cumsum(-1)
                u = uniform[:, k, None].to(p) * share[:, -1:]
                at = (share <= u).sum(-1, keepdim=True).clamp(max=p.shape[1] - 1)
                chosen = order.gather(1, at)[:, 0]
            ids = torch.cat([ids, chosen[:, None]], 1)
        return ids


if PreTrainedModel is not None:

    class TextwarpConfig(PretrainedConfig):
        model_type = "textwarp"

        def __init__(self, vocab_size=2, text_tokens=2, embed_dim=2, hidden_size=4, num_hidden_layers=1,
                     num_attention_heads=1, intermediate_size=4, time_width=128, window=2, objective="cdcd", causal=False,
                     self_conditioning=False, warp=None, **others):
            own = {k: v for k, v in locals().items() if k not in ("self", "others", "__class__")}
            super().__init__(**others)
            for name, value in own.items():
                setattr(self, name, value)

    class TextwarpModel(Network, PreTrainedModel):
        config_class = TextwarpConfig
        main_input_name = "input_ids"

        def __init__(self, config):
            super().__init__(config)
            self.build(config)
            self.post_init()

        def _init_weights(self, module):
            pass  # every tensor is in the file

else:

    class TextwarpModel(Network, nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config = config
            self.build(config)


def load(folder):
    """The model of a folder, with PyTorch and safetensors alone."""
    from safetensors.torch import load_file

    folder = pathlib.Path(folder)
    settings = json.loads((folder / "config.json").read_text())
    model = TextwarpModel(TextwarpConfig(**settings) if PreTrainedModel else types.SimpleNamespace(**settings))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval()
