"""The one rule that turns measured numbers into a verdict.

A claim is written down as *contrasts* before its data are looked at: what is compared with what, by which metric, and
which way the sentence says it goes. Each contrast is settled by the differences between runs that share a seed, and the
words of all contrasts together give the verdict. Nothing in here knows what a claim is about.

1. The differences are signed so that positive is as the claim says. There are at least `FEWEST` of them.
2. An exact sign-flip test asks how often their mean would be as large if every sign were a coin's. A contrast is *for*
   the claim if that is rare, the median difference is at least the margin and three pairs of four point that way: a
   mean alone can be the work of two seeds. It is *against* the claim if the same is true the other way round.
3. It is *level* if the same test, moved by the margin, excludes a difference of the margin in both directions. A range
   that merely contains zero is *open*: so many seeds cannot tell.
4. "Rare" is at most `ALPHA` in each direction, by Holm's correction over all contrasts of the claim.
5. A contrast is *void* if it was not a fair one: a best setting at an end of its range, unequal numbers of settings
   tried, too few seeds, a control that failed.
6. Numbers without seeds are exact: the margin alone decides.

>>> both = Results()
>>> both.add("new", "test accuracy", [0.95, 0.96, 0.94, 0.97, 0.95, 0.96, 0.95, 0.96])
>>> both.add("old", "test accuracy", [0.93, 0.94, 0.93, 0.94, 0.94, 0.93, 0.93, 0.94])
>>> (outcome,) = judge([Contrast("better", "new/test accuracy", "old/test accuracy", "higher")], both)
>>> outcome.word, verdict([outcome])
('for', 'holds here')
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.claims.results import Results

VERDICTS = (
    "holds here", "holds partly", "no difference here", "does not hold here", "disputed", "not testable here",
)  # fmt: skip
ALPHA = 0.05
FEWEST = 8
AGREEING = 0.75
AT_EDGE, TRIED = "at the edge", "settings tried"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """What a number means: which way is better, and the smallest difference that matters.

    Attributes
    ----------
    better : {"higher", "lower", ""}
        Empty if neither is.
    margin : float
    relative : bool
        Whether the margin is a share of the number that is compared with.
    unit : str
        Of a difference, in words.
    scale : float
        From the stored number to that unit.
    """

    better: str = ""
    margin: float = 0.05
    relative: bool = True
    unit: str = ""
    scale: float = 1.0


_ACCURACY = Metric("higher", 0.01, relative=False, unit="points", scale=100.0)
_NATS = Metric("lower", 0.02, relative=False, unit="nats")
METRICS = {
    "test accuracy": _ACCURACY,
    "accuracy": _ACCURACY,
    "test nats per character": _NATS,
    "test log loss": _NATS,
    "test ticks": Metric("higher", 10.0, relative=False, unit="ticks"),
    "test loss": Metric("lower"),
    "validation loss": Metric("lower"),
    "loss": Metric("lower"),
    "error": Metric("lower"),
    "steps": Metric("lower"),
    "rank": Metric("lower", 0.5, relative=False, unit="places"),
}


def test_metric(metric: str) -> str:
    """What the test score of a task with this metric is called in the results."""
    return "test ticks" if metric.startswith("ticks") else f"test {metric}"


def metric_of(place: str) -> Metric:
    """The meaning of the metric in ``setting/metric``; a relative margin of five percent if nothing else is known."""
    return METRICS.get(place.rpartition("/")[2], Metric())


@dataclass(frozen=True)
class Contrast:
    """One comparison that a claim stands for.

    Attributes
    ----------
    part : str
        What of the claim it is, in words: "in 68 steps, against a constant rate".
    a : str
        ``setting/metric`` of the results.
    b : str or float
        The same, or a number to compare with.
    expects : {"higher", "lower", "level"}
        What the claim says of `a`, beside `b`.
    times : float, default 1
        `a` is compared with so many times `b`.
    margin : float, optional
        By default that of the metric of `a`.
    control : bool, default False
        A condition of the experiment itself: where it does not hold, every other contrast is void.
    """

    part: str
    a: str
    b: str | float
    expects: Literal["higher", "lower", "level"]
    times: float = 1.0
    margin: float | None = None
    control: bool = False

    def __post_init__(self) -> None:
        if self.expects not in ("higher", "lower", "level"):
            raise ValueError(f"{self.part}: expects must be higher, lower or level, got {self.expects!r}")

    def least(self, results: Results) -> float:
        """The margin, in the units of the metric."""
        if self.margin is not None:
            return self.margin
        metric = metric_of(self.a)
        return metric.margin * (abs(float(np.median(self._beside(results)))) if metric.relative else 1.0)

    def settings(self) -> list[str]:
        return [place.rpartition("/")[0] for place in (self.a, self.b) if isinstance(place, str)]

    def differences(self, results: Results) -> tuple[Array, bool]:
        """`a` minus `b` seed by seed, signed as the claim has it; and whether there are seeds at all."""
        first = results.values_at(self.a)
        second = {"": float(self.b)} if not isinstance(self.b, str) else results.values_at(self.b)
        if "" in first and "" in second:
            pairs = [(first[""], second[""])]
        elif "" in second:
            pairs = [(value, second[""]) for value in first.values()]
        elif "" in first:
            pairs = [(first[""], value) for value in second.values()]
        else:
            pairs = [(first[seed], second[seed]) for seed in first if seed in second]
        # A NaN is a run that never came to where it was to be looked at.
        ours, theirs = np.array([pair for pair in pairs if not np.isnan(pair).any()], dtype=float).reshape(-1, 2).T
        with np.errstate(invalid="ignore"):  # two runs that both diverged are equal
            found = np.nan_to_num(ours - self.times * theirs, nan=0.0, posinf=np.inf, neginf=-np.inf)
        return (-found if self.expects == "lower" else found), not ("" in first and "" in second)

    def _beside(self, results: Results) -> Array:
        return self.times * (results.at(self.b) if isinstance(self.b, str) else np.array([float(self.b)]))


@dataclass(frozen=True)
class Outcome:
    """What the data say about a contrast.

    Attributes
    ----------
    word : {"for", "against", "level", "open", "void"}
    differences : ndarray
        Signed as the claim has it.
    p : float or None
        Of the word that was tested, after Holm's correction; None without seeds.
    why : str
        Of a void contrast.
    margin : float
    also : dict of str to str
        For every other metric that both sides have: "for" or "against", where it says so.
    """

    contrast: Contrast
    word: str
    differences: Array
    p: float | None = None
    why: str = ""
    margin: float = 0.0
    also: tuple[tuple[str, str], ...] = ()

    @property
    def ahead(self) -> int:
        return int(np.sum(self.differences > 0))

    @property
    def behind(self) -> int:
        return int(np.sum(self.differences < 0))

    @property
    def median(self) -> float:
        return float(np.median(self.differences))

    def other_way(self) -> list[str]:
        """The other metrics that contradict the word: the opposite of *for* or *against*, either where it is level."""
        return [metric for metric, says in self.also if says != self.word and self.word != "void"]


def judge(contrasts: Sequence[Contrast], results: Results) -> list[Outcome]:
    """The outcome of each contrast, corrected for how many there are; a control stands by itself.

    Parameters
    ----------
    contrasts : sequence of Contrast
    results : Results
        What was measured for the claim.
    """
    raw = [_alone(contrast, results) for contrast in contrasts]
    counted = [outcome.p for outcome in raw if outcome.p is not None and not outcome.contrast.control]
    places = iter(holm(counted))
    outcomes = [
        outcome if outcome.p is None or outcome.contrast.control else replace(outcome, p=next(places))
        for outcome in raw
    ]
    outcomes = [
        replace(outcome, word="open") if outcome.p is not None and outcome.p > ALPHA else outcome
        for outcome in outcomes
    ]
    if any(o.contrast.control and o.word != "for" for o in outcomes):
        why = "the control failed"
        outcomes = [o if o.contrast.control else replace(o, word="void", why=why) for o in outcomes]
    return outcomes


def verdict(
    outcomes: Sequence[Outcome], of: str = "all", literature_for: Iterable[str] = (), against: Iterable[str] = ()
) -> str:
    """The word for a claim.

    Parameters
    ----------
    outcomes : sequence of Outcome
    of : {"all", "most", "some", "best"}
        For how many of the contrasts the claim says that it holds; "best" is all, for a superlative, which one contrast
        the other way refutes.
    literature_for, against : iterable of str
        Sources that found it to be so, and not to be so: with both, a claim that is not settled here is disputed.
    """
    words = [outcome.word for outcome in outcomes if not outcome.contrast.control]
    count = words.count("for")
    enough = {"all": len(words), "best": len(words), "most": len(words) // 2 + 1, "some": 1}[of]
    if words and count >= enough:
        return "holds here"
    refuted = words.count("against") and (of != "some" or words.count("against") == len(words))
    if count and not (of == "best" and refuted):
        found = "holds partly"
    elif refuted:
        found = "does not hold here"
    elif words and 2 * words.count("level") >= len(words):
        found = "no difference here"
    else:
        found = "not testable here"
    settled = found == "does not hold here" or not words or set(words) == {"void"}
    return "disputed" if list(literature_for) and list(against) and not settled else found


def _alone(contrast: Contrast, results: Results) -> Outcome:
    """A contrast by itself: the word that its data come closest to, with the p of that word."""
    found, seeded = contrast.differences(results)
    margin = contrast.least(results)
    why = _unfair(contrast, results, len(found) if seeded else None)
    if why:
        return Outcome(contrast, "void", found, None, why, margin)
    level_is_for = contrast.expects == "level"
    if not seeded:
        gap = float(found[0])
        word = "level" if abs(gap) < margin or gap == 0 else "for" if gap > 0 else "against"
        return Outcome(contrast, _as_expected(word) if level_is_for else word, found, None, "", margin)
    word, p = _closest(found, margin)
    also = () if level_is_for else _other_metrics(contrast, results)
    return Outcome(contrast, _as_expected(word) if level_is_for else word, found, p, "", margin, also)


def _as_expected(word: str) -> str:
    return "for" if word == "level" else word if word == "open" else "against"


def _closest(found: Array, margin: float) -> tuple[str, float]:
    middle, words = float(np.median(found)), []
    if middle >= margin and middle > 0 and np.mean(found > 0) >= AGREEING:
        words.append(("for", sign_flip(found)))
    if middle <= -margin and middle < 0 and np.mean(found < 0) >= AGREEING:
        words.append(("against", sign_flip(-found)))
    if np.isfinite(found).all():
        words.append(("level", max(sign_flip(found + margin), sign_flip(margin - found))))
    return min(words, key=lambda pair: pair[1]) if words else ("open", 1.0)


def _unfair(contrast: Contrast, results: Results, count: int | None) -> str:
    tried = set()
    for setting in contrast.settings():
        if (setting, AT_EDGE) in results.values and results.median(setting, AT_EDGE):
            return f"the best setting of {setting} is at an end of its range"
        if (setting, TRIED) in results.values:
            tried.add(results.median(setting, TRIED))
    if len(tried) > 1:
        return "unequal numbers of settings were tried"
    if count is not None and count < FEWEST:
        return f"fewer than {FEWEST} seeds"
    return ""


def _other_metrics(contrast: Contrast, results: Results) -> tuple[tuple[str, str], ...]:
    """What each other metric of both settings says, by itself, where it is clear."""
    (setting, _, own), found = contrast.a.rpartition("/"), []
    if not isinstance(contrast.b, str) or not metric_of(contrast.a).better:
        return ()
    other = contrast.b.rpartition("/")[0]
    claims_better = contrast.expects == metric_of(contrast.a).better
    for name, metric in METRICS.items():
        if name == own or not metric.better or not {(setting, name), (other, name)} <= results.values.keys():
            continue
        expects = metric.better if claims_better else {"higher": "lower", "lower": "higher"}[metric.better]
        twin = Contrast(contrast.part, f"{setting}/{name}", f"{other}/{name}", expects, contrast.times)
        differences, seeded = twin.differences(results)
        if seeded and len(differences) >= FEWEST:
            word, p = _closest(differences, twin.least(results))
            if word in ("for", "against") and p <= ALPHA:
                found.append((name, word))
    return tuple(found)


# The test ---------------------------------------------------------------------------------------------


def sign_flip(differences: ArrayLike) -> float:
    """How often the mean would be at least as large if every sign were a coin's: exact, over all patterns of signs.

    Sums that differ by no more than the rounding of stored numbers can explain count as equal. An infinite difference
    counts as ten times the largest finite one.

    Examples
    --------
    >>> sign_flip([1, 1, 1, 1, 1, 1, 1, 1]) == 2**-8
    True
    >>> sign_flip([1, -1, 1, -1]) > 0.5
    True
    """
    found = np.asarray(differences, dtype=float)
    sizes = np.abs(found)
    finite = sizes[np.isfinite(sizes)]
    largest = finite.max() if finite.size and finite.max() > 0 else 1.0
    sizes = np.where(np.isfinite(sizes), sizes, 10 * largest)
    observed = float(np.sum(sizes * np.sign(found)))
    half = len(sizes) // 2
    left, right = _sums(sizes[:half]), np.sort(_sums(sizes[half:]))
    least = observed - left - 1e-3 * largest
    return float(np.sum(len(right) - np.searchsorted(right, least))) / (len(left) * len(right))


def _sums(sizes: Array) -> Array:
    """The sum under every pattern of signs."""
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return sums


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's correction: the p of each test, if as many were made.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order, corrected, worst = sorted(range(len(ps)), key=ps.__getitem__), [0.0] * len(ps), 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(ps) - rank) * ps[place]))
        corrected[place] = worst
    return corrected
