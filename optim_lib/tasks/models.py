"""The torch modules of the tasks, small enough for one thread. Each starts where its seed says."""

from __future__ import annotations

from collections.abc import Callable

from optim_lib.extras import needed

with needed():
    import torch
    from torch import Tensor, nn


def seeded(seed: int, make: Callable[[], nn.Module]) -> nn.Module:
    """A module with the first parameters of this seed; torch's own random numbers go on undisturbed."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return make()


def digit_cnn(seed: int = 0, channels: tuple[int, int] = (8, 16)) -> nn.Module:
    """Two convolutions for 8 x 8 pixels: 3,000 parameters."""
    first, second = channels

    def make() -> nn.Module:
        return nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, first, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(4 * second, 10),
        )

    return seeded(seed, make)


class Transformer(nn.Module):
    """A causal transformer over characters: what comes next, at every place.

    Parameters
    ----------
    symbols, length : int
    width, heads, layers : int
    norm : {"pre", "post"}
        Whether each block normalizes what it reads (as GPT-2), or what it has written (as the original).
    embedding : float
        The standard deviation of the first embeddings. Where blocks normalize what they read, small ones drown in what
        the first block adds to them: with 0.02, GPT-2's, a small
        model hardly learns in a hundred steps, with 0.1 it does.
    """

    def __init__(
        self,
        symbols: int,
        length: int,
        width: int = 32,
        heads: int = 2,
        layers: int = 2,
        norm: str = "pre",
        embedding: float = 0.02,
    ) -> None:
        super().__init__()
        if norm not in ("pre", "post"):
            raise ValueError(f"norm must be 'pre' or 'post', got {norm!r}")
        self.symbol, self.place = nn.Embedding(symbols, width), nn.Embedding(length, width)
        for table in (self.symbol, self.place):
            nn.init.normal_(table.weight, std=embedding)
        self.blocks = nn.ModuleList(Block(width, heads, norm == "pre") for _ in range(layers))
        self.norm = nn.LayerNorm(width) if norm == "pre" else nn.Identity()
        self.head = nn.Linear(width, symbols)

    def forward(self, x: Tensor) -> Tensor:
        h = self.symbol(x) + self.place(torch.arange(x.shape[-1]))
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


class Block(nn.Module):
    """Attention to the places before, then a network at each place."""

    def __init__(self, width: int, heads: int, pre: bool) -> None:
        super().__init__()
        self.heads, self.pre = heads, pre
        self.norms = nn.ModuleList((nn.LayerNorm(width), nn.LayerNorm(width)))
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.network = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, h: Tensor) -> Tensor:
        for norm, part in zip(self.norms, (self.attend, self.network), strict=True):
            h = h + part(norm(h)) if self.pre else norm(h + part(h))
        return h

    def attend(self, h: Tensor) -> Tensor:
        n, length, width = h.shape
        q, k, v = self.queries_keys_values(h).view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.mix(seen.transpose(1, 2).reshape(n, length, width))


class Recurrent(nn.Module):
    """A GRU that reads one character at a time and says what comes next."""

    def __init__(self, symbols: int, width: int = 64) -> None:
        super().__init__()
        self.symbol = nn.Embedding(symbols, width)
        self.memory = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, symbols)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.memory(self.symbol(x))[0])


def transformer(seed: int = 0, symbols: int = 96, length: int = 32, **options: float | str) -> nn.Module:
    return seeded(seed, lambda: Transformer(symbols, length, **options))


def gru(seed: int = 0, symbols: int = 96, width: int = 64) -> nn.Module:
    return seeded(seed, lambda: Recurrent(symbols, width))
