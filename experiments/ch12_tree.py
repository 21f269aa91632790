"""Chapter 12, choosing: the article's decision tree, each leaf beside what the comparison says about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.ch12 import OPTIMIZERS, Field, level_count
from experiments.claims.ledger import LEDGER
from optim_lib.pages import Piece
from optim_lib.plotting.tree import Branch, Leaf, tree

COLORS = {"supported": "good", "contradicted": "s0", "no difference": "muted"}


def decision_tree(fields: dict[str, Field]) -> Piece:
    """The tree to click through.

    Parameters
    ----------
    fields : dict of str to Field
        From `experiments.ch12.read_results`: all numbers in the tree, and the verdicts, come from there.
    """
    known = set(re.findall(r"^- id: (\S+)", LEDGER.read_text(encoding="utf-8"), flags=re.MULTILINE))

    def ledger(claim: str) -> tuple[str, str]:
        return ("the claim in the ledger", f"claims.html#{claim}") if claim in known else ("the ledger", "claims.html")

    vision = Branch(
        "Computer vision",
        [
            _leaf(
                fields["digits, CNN"], ("SGD + momentum", "Nesterov"),
                "training from scratch", "SGD + momentum with a schedule",
                "A convolutional network on 8 x 8 digits; everyone has the same schedule.",
                ("chapter 4", "04_momentum.html"), ("chapter 11", "11_schedules.html"), ledger("c-cnn"),
            ),
            _leaf(
                fields["fine-tuning"], ("AdamW",),
                "fine-tuning", "AdamW with a low rate",
                f"A network that knows 0 to 4 learns 5 to 9 from 100 examples. The rate that AdamW chose is "
                f"{fields['fine-tuning'].entrants['AdamW'].rate:g}; from scratch, on all digits, it chose "
                f"{fields['digits, MLP'].entrants['AdamW'].rate:g}.",
                ("chapter 9", "09_adamw.html"), ledger("c-ft"),
            ),
            _leaf(
                fields["one large batch"], ("LARS", "LAMB"),
                "large batches", "LARS or LAMB",
                "All 1,079 training digits in each of 20 steps. They are meant for batches of tens of thousands; "
                "there, Nado et al. (2021) found tuned Nesterov and Adam as good.",
                ("chapter 10", "10_advanced.html"), ledger("c-lars-lamb"),
            ),
        ],
    )  # fmt: skip
    language = Branch(
        "Language, transformers",
        [
            _leaf(
                fields["characters, transformer"], ("AdamW",),
                "training from scratch", "AdamW, warmup, cosine",
                "Two layers of width 32, 100 steps; everyone has warmup and cosine. A budget this short favors whoever "
                "starts fastest.",
                ("chapter 9", "09_adamw.html"), ("chapter 11", "11_schedules.html"), ledger("c-tf"),
            ),
            _told(
                "fine-tuning", "AdamW, rate between 1e-5 and 5e-5",
                "These rates come from BERT (Devlin et al. 2019 tried 2e-5, 3e-5 and 5e-5) and belong to models of "
                "its size. Fine-tuning on the digits wants a rate a thousand times larger: a rate does not travel "
                "between models.",
                ("chapter 9", "09_adamw.html"), ledger("c-ft-nlp"),
            ),
            _told(
                "at the scale of GPT-3", "AdamW with careful tuning",
                "Not something to test on two cores. Brown et al. (2020) trained GPT-3 with Adam, weight decay 0.1 and "
                "clipping. The nearest measurement is AlgoPerf (Dahl et al. 2023), on eight jobs of a few hours each.",
                ("chapter 10", "10_advanced.html"), ledger("c-gpt3"),
            ),
        ],
    )  # fmt: skip
    control = Branch(
        "Reinforcement learning",
        [
            _leaf(
                fields["pole, policy gradient"], ("Adam",),
                "policy gradients", "Adam",
                "REINFORCE balances a pole; the score is how many of 200 ticks a try lasts, while it learns.",
                ("chapter 8", "08_adam.html"), ledger("c-pg"),
            ),
            _leaf(
                fields["pole, Q-learning"], ("RMSprop", "Adam"),
                "value functions", "RMSprop or Adam",
                "Q-learning with a memory and a target network balances the same pole.",
                ("chapter 7", "07_rmsprop.html"), ledger("c-value"),
            ),
        ],
    )  # fmt: skip
    count = level_count(fields, "AdamW")
    ranking = sorted((label for label in OPTIMIZERS if label != "LARS"), key=lambda label: -level_count(fields, label))
    top = level_count(fields, ranking[0])
    leaders = [label for label in ranking if level_count(fields, label) == top]
    unsure = Branch(
        "Something else, or unsure",
        [
            Leaf(
                "start with", "AdamW, the safest default",
                f"level with the best on {count} of {len(fields)} tasks", COLORS["no difference"],
                [
                    ("Measured", f"Over all {len(fields)} tasks, AdamW is level with the best on {count}. "
                     f"Most often level: {_and(leaders)}, on {top}."),
                    ("Where it fails", "The ill-conditioned regression, whose solution has large weights: a decay "
                     "of 0.1 pulls them in. A default has defaults of its own."),
                ],
                [("chapter 9", "09_adamw.html"), ledger("c-default")],
            ),
            _leaf(
                fields["digits, MLP"], ("SGD + momentum",),
                "if it generalizes poorly", "try SGD + momentum",
                "Test accuracy of a small network on the digits.",
                ("chapter 8", "08_adam.html"), ledger("c-poor"),
            ),
            _leaf(
                fields["topic of a line"], ("AdaGrad", "Adam", "AdamW"),
                "if the features are sparse", "AdaGrad or Adam",
                "Which of 12 topics a line of text is about, by its words; most words are in one or two lines. "
                "AdamW counts as Adam here.",
                ("chapter 6", "06_adagrad.html"), ledger("c-sparse"),
            ),
        ],
    )  # fmt: skip
    return tree(
        Branch("What are you training?", [vision, language, control, unsure], open=True),
        label="decision tree: which optimizer",
        caption="**The article's tree, with a verdict at each leaf.** Open a branch, then a leaf. *Level* means "
        "a median over five seeds that is no worse than the worst seed of the best optimizer.",
    )


def _leaf(field: Field, advised: Sequence[str], case: str, advice: str, job: str, *links: tuple[str, str]) -> Leaf:
    verdict = field.verdict(advised)
    shown = {"supported": "supported here", "contradicted": "not supported here", "no difference": "no difference here"}
    return Leaf(case, advice, shown[verdict], COLORS[verdict], [("The job", job), *_facts(field, advised)], links)


def _facts(field: Field, advised: Sequence[str]) -> list[tuple[str, str]]:
    ours, best = field.best(advised), field.best()
    level = [label for label in field.level() if label != best.label]
    metric = f"test {field.contest.task.metric}"
    measured = f"{ours.label}: {metric} {_numbers(ours.test)}, at rate {ours.rate:g}."
    if best.label == ours.label:
        others = field.best(label for label in field.entrants if label not in advised)
        measured += f" The best of the others is {others.label}: {_numbers(others.test)}."
    else:
        measured += f" The best of all is {best.label}: {_numbers(best.test)}."
    also = f"Level with {best.label}: {_and(level)}." if level else f"Nobody is level with {best.label}."
    return [("Measured", measured), ("Who else", also)]


def _numbers(test: NDArray[np.floating]) -> str:
    low, high = test.min(), test.max()
    return f"{np.median(test):.3g} ({low:.3g} to {high:.3g})"


def _told(case: str, advice: str, words: str, *links: tuple[str, str]) -> Leaf:
    return Leaf(case, advice, "not tested here", "muted", [("What is known", words)], links)


def _and(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
