"""Chapter 12, choosing: the usual decision tree, each leaf with its verdict from the claims ledger."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.ch12 import Field
from experiments.claims.ledger import Claim, load_ledger
from optim_lib.pages import Piece
from optim_lib.plotting.tree import Branch, Leaf, tree

COLORS = {
    "holds here": "good", "holds partly": "accent", "no difference here": "muted", "does not hold here": "s0",
    "disputed": "s3", "not testable here": "muted",
}  # fmt: skip


def decision_tree(fields: dict[str, Field]) -> Piece:
    """The tree to click through: verdicts and evidence from the ledger, and who stands how in the comparison.

    Parameters
    ----------
    fields : dict of str to Field
        From `experiments.ch12.read_results`.
    """
    claims = {claim.id: claim for claim in load_ledger()}

    def leaf(claim: str, case: str, advice: str, *links: tuple[str, str], task: str = "", note: str = "") -> Leaf:
        facts = _evidence(claims[claim])
        if task:
            facts.append(("In the table above", _standing(fields[task])))
        if note:
            facts.append(("Mind", note))
        word = claims[claim].verdict
        return Leaf(
            case, advice, word, COLORS[word], facts, [*links, ("the claim in the ledger", f"claims.html#{claim}")]
        )

    vision = Branch(
        "Computer vision",
        [
            leaf(
                "c-cnn", "training from scratch", "SGD + momentum with a schedule",
                ("chapter 4", "04_momentum.html"), ("chapter 11", "11_schedules.html"), task="digits, CNN",
            ),
            leaf("c-ft", "fine-tuning", "AdamW with a low rate", ("chapter 9", "09_adamw.html"), task="fine-tuning"),
            leaf(
                "c-lars-lamb", "large batches", "LARS or LAMB", ("chapter 10", "10_advanced.html"),
                task="one large batch",
                note="They are meant for batches of tens of thousands, not for 1,079 digits.",
            ),
        ],
    )  # fmt: skip
    language = Branch(
        "Language, transformers",
        [
            leaf(
                "c-tf", "training from scratch", "AdamW, warmup, cosine",
                ("chapter 9", "09_adamw.html"), ("chapter 11", "11_schedules.html"), task="characters, transformer",
                note="A budget this short favors whoever starts fastest.",
            ),
            leaf(
                "c-ft-nlp", "fine-tuning", "AdamW, rate between 1e-5 and 5e-5", ("chapter 9", "09_adamw.html"),
                note="The range comes from BERT and belongs to models of its size: a rate does not travel.",
            ),
            leaf("c-gpt3", "at the scale of GPT-3", "AdamW with careful tuning", ("chapter 10", "10_advanced.html")),
        ],
    )  # fmt: skip
    control = Branch(
        "Reinforcement learning",
        [
            leaf("c-pg", "policy gradients", "Adam", ("chapter 8", "08_adam.html"), task="pole, policy gradient"),
            leaf("c-value", "value functions", "RMSprop or Adam", ("chapter 7", "07_rmsprop.html"),
                 task="pole, Q-learning"),
        ],
    )  # fmt: skip
    unsure = Branch(
        "Something else, or unsure",
        [
            leaf(
                "c-default", "start with", "AdamW, the safest default", ("chapter 9", "09_adamw.html"),
                note="On the ill-conditioned regression a decay of 0.1 pulls at the large weights of the solution: a "
                "default has defaults of its own.",
            ),
            leaf("c-poor", "if it generalizes poorly", "try SGD + momentum", ("chapter 8", "08_adam.html"),
                 task="digits, MLP"),
            leaf("c-sparse", "if the features are sparse", "AdaGrad or Adam", ("chapter 6", "06_adagrad.html"),
                 task="topic of a line"),
        ],
    )  # fmt: skip
    return tree(
        Branch("What are you training?", [vision, language, control, unsure], open=True),
        label="decision tree: which optimizer",
        caption="**The usual tree, with a verdict at each leaf.** Open a branch, then a leaf. The verdicts are those "
        "of the claims ledger, worked out from its contrasts.",
    )


def _evidence(claim: Claim) -> list[tuple[str, str]]:
    if not claim.contrasts:
        return [("What is known", claim.sentence())]
    facts = [("Measured", claim.how)]
    if claim.verdict == "disputed":
        facts.append(("The runs alone", "cannot tell" if claim.here == "not testable here" else claim.here))
    parts = [outcome.contrast.part for outcome in claim.outcomes]
    lines = zip(parts, claim.evidence(), strict=True)
    return facts + [(part, line.removeprefix(f"{part}: ").replace("**", "")) for part, line in lines]


def _standing(field: Field) -> str:
    best = field.best()
    words = [
        f"The best is {best.label}: test {field.contest.task.metric} {_numbers(best.test)}, at rate {best.rate:g}."
    ]
    for standing, phrase in (("level", "Level with it"), ("behind", "Behind"), ("open", "Not to be told apart")):
        labels = field.which(standing)
        if labels:
            words.append(f"{phrase}: {_and(labels)}.")
    return " ".join(words)


def _numbers(test: NDArray[np.floating]) -> str:
    low, high = test.min(), test.max()
    return f"{np.median(test):.3g} ({low:.3g} to {high:.3g})"


def _and(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
