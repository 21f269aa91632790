"""The family tree of the optimizers, made from their classes: what each keeps, what that costs, what it adds.

>>> rows = family_table()
>>> [(row.optimizer, row.parent, row.keeps, row.bytes_per_parameter) for row in rows[:2]]
[('SGD', '', 'nothing', 0.0), ('MomentumSGD', 'SGD', 'velocity', 4.0)]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from optim_lib import optimizers, plotting
from optim_lib.optimizers import SGD, Lookahead, Optimizer
from optim_lib.pages import Piece
from optim_lib.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The parameter whose state is measured.
MATRIX = (256, 256)


@dataclass(frozen=True)
class Kin:
    """Where an optimizer comes from: its parent (empty for none), what it adds, and another it takes that from."""

    parent: str
    adds: str
    also: str = ""


# Every optimizer of the library has a line. Children of one parent are drawn in the order that they have here.
KIN: dict[str, Kin] = {
    "SGD": Kin("", "a step against the gradient"),
    "MomentumSGD": Kin("SGD", "a decaying sum of past gradients"),
    "NesterovMomentum": Kin("MomentumSGD", "a look ahead, before the slope is measured"),
    "Muon": Kin("NesterovMomentum", "the same length in every direction of a matrix", also="Shampoo"),
    "NorMuon": Kin("Muon", "a rate for each neuron", also="Adam"),
    "MuonHyperball": Kin("Muon", "weights that keep their norm, and turn", also="AdamHyperball"),
    "LARS": Kin("MomentumSGD", "a rate for each layer, from its norms"),
    "Lion": Kin("MomentumSGD", "only the sign of it", also="AdamW"),
    "AdaGrad": Kin("SGD", "a rate for each coordinate, from all it has seen"),
    "RMSprop": Kin("AdaGrad", "forgetting, by an average in place of a sum"),
    "CenteredRMSprop": Kin("RMSprop", "the variation of the gradient, in place of its size"),
    "UncorrectedAdam": Kin("RMSprop", "momentum", also="MomentumSGD"),
    "Adam": Kin("UncorrectedAdam", "a correction for averages that start at zero"),
    "AdamW": Kin("Adam", "weight decay outside the gradient"),
    "CautiousAdamW": Kin("AdamW", "decay that never works against the step"),
    "AdEMAMix": Kin("AdamW", "a second momentum, with a long memory"),
    "LAMB": Kin("AdamW", "a rate for each layer, from its norms", also="LARS"),
    "ScheduleFreeAdamW": Kin("AdamW", "an average of iterates for a schedule", also="ScheduleFreeSGD"),
    "Prodigy": Kin("AdamW", "an estimate of the distance, for a rate"),
    "AMSGrad": Kin("Adam", "a second moment that never shrinks"),
    "ADOPT": Kin("Adam", "the second moment of the step before"),
    "AdamHyperball": Kin("Adam", "weights that keep their norm, and turn"),
    "NAdam": Kin("Adam", "Nesterov's look ahead", also="NesterovMomentum"),
    "RAdam": Kin("Adam", "patience, until its scale can be trusted"),
    "AdaBelief": Kin("Adam", "the surprise, in place of the size"),
    "Adafactor": Kin("Adam", "only row and column means of its squares"),
    "Shampoo": Kin("AdaGrad", "a matrix for the rows and one for the columns"),
    "SOAP": Kin("Shampoo", "Adam, in the eigenvectors of those matrices", also="Adam"),
    "ScheduleFreeSGD": Kin("SGD", "an average of iterates for a schedule"),
    "Lookahead": Kin("", "around any optimizer: slow weights that follow it"),
}


@dataclass(frozen=True)
class Member:
    """One row of the family table.

    Attributes
    ----------
    optimizer, parent : str
        Names; the parent is empty where there is none.
    also : str
        Another optimizer from which it takes what it adds, or empty.
    adds : str
        What it adds to its parent.
    keeps : str
        The arrays that it remembers for a matrix.
    bytes_per_parameter : float
        What they take, measured on a float32 matrix of 256 x 256.
    generation : int
        How many ancestors it has.
    """

    optimizer: str
    parent: str
    also: str
    adds: str
    keeps: str
    bytes_per_parameter: float
    generation: int


def public_optimizers() -> list[type[Optimizer]]:
    """Every optimizer that `optim_lib.optimizers` exports."""
    exported = [getattr(optimizers, name) for name in optimizers.__all__]
    return [
        each for each in exported if isinstance(each, type) and issubclass(each, Optimizer) and each is not Optimizer
    ]


def family_table() -> list[Member]:
    """The family, each right under its parent's: a row for each optimizer, for `plotting.table`.

    What it keeps, and how many bytes that takes, is read from its state after one step.

    Raises
    ------
    ValueError
        If an optimizer has no line in `KIN`, or a line names a parent that has none.
    """
    for name in [*(each.__name__ for each in public_optimizers()), *(kin.parent for kin in KIN.values() if kin.parent)]:
        if name not in KIN:
            raise ValueError(f"KIN in optim_lib/family.py has no line for {name}")
    return list(_members("", 0))


def _members(parent: str, generation: int) -> Iterator[Member]:
    for name, kin in KIN.items():
        if kin.parent == parent:
            yield Member(name, parent, kin.also, kin.adds, *_measured(getattr(optimizers, name)), generation)
            yield from _members(name, generation + 1)


@cache
def _measured(optimizer: type[Optimizer]) -> tuple[str, float]:
    """The arrays that an optimizer keeps of a float32 matrix, and their bytes for each parameter, after one step."""
    made = Lookahead(SGD()) if optimizer is Lookahead else optimizer()
    params = {"W": np.zeros(MATRIX, np.float32)}
    made.update(params, {"W": np.eye(*MATRIX, dtype=np.float32)})
    arrays = made.state["W"].arrays()
    size = sum(array.nbytes for array in arrays.values()) / params["W"].size
    return ", ".join(arrays) or "nothing", round(size, 2)


def family_tree() -> Piece:
    """The family as a figure, with its alt text and caption."""
    rows = family_table()
    sentences = [
        f"{row.optimizer}{f', from {row.parent}' if row.parent else ''}{f' and {row.also}' if row.also else ''}: "
        f"{row.adds}, {_amount(row.bytes_per_parameter)}"
        for row in rows
    ]
    most = max(rows, key=lambda row: row.bytes_per_parameter)
    caption = (
        "**The family of optimizers.** Each stands under the one that it came from, with what it adds; the bars are "
        f"the bytes that it keeps for each float32 weight of a {MATRIX[0]} x {MATRIX[1]} matrix, from none to the "
        f"{most.bytes_per_parameter:g} of {most.optimizer}. The weight itself takes 4, and its gradient 4 more."
    )
    alt = "A family tree with the bytes that each optimizer keeps for each parameter. " + ". ".join(sentences) + "."
    return plotting.show(draw_family_tree(), alt=alt, caption=caption)


def draw_family_tree() -> Figure:
    """The figure of `family_tree`: an indented tree, what each adds, and a bar for what it keeps."""
    from matplotlib import rc_context

    from optim_lib.plotting.theme import STYLE

    rows = family_table()
    indent, bars = 0.035, 0.78
    most = max(row.bytes_per_parameter for row in rows)
    figure, ax = plotting.axes(height=0.37 * len(rows) + 0.3)
    places = {row.optimizer: (indent * row.generation, -k) for k, row in enumerate(rows)}
    with rc_context(STYLE):
        for row in rows:
            x, y = places[row.optimizer]
            if row.parent:
                up_x, up_y = places[row.parent]
                trunk = up_x + indent / 3
                line = [trunk, trunk, x - 0.006], [up_y - 0.5, y + 0.12, y + 0.12]
                ax.plot(*line, color=LIGHT["track"], lw=1.2, zorder=1)
            ax.text(x, y + 0.12, row.optimizer, va="center", color=LIGHT["ink"], fontsize=9.6, fontweight="bold")
            ax.text(x + 0.004, y - 0.28, row.adds, va="center", color=LIGHT["muted"], fontsize=8.6)
            length = (0.92 - bars) * row.bytes_per_parameter / most
            ax.barh(y, length, left=bars, height=0.4, color=LIGHT["series"][1])
            ax.text(bars + length + 0.01, y, f"{row.bytes_per_parameter:g}", va="center", fontsize=9.6)
        ax.text(0, 0.85, "optimizer, and what it adds to its parent", color=LIGHT["muted"], fontsize=9.6)
        ax.text(bars, 0.85, "bytes per weight", color=LIGHT["muted"], fontsize=9.6)
    ax.set(xlim=(0, 1), ylim=(-len(rows) + 0.4, 1.2), xticks=[], yticks=[])
    ax.set_axis_off()
    return figure


def _amount(size: float) -> str:
    return f"{size:g} bytes" if size else "no memory"
