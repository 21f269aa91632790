"""The ledger: what is claimed, where it is tested, and what came out. Verdicts are worked out, never written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from experiments.claims.results import FOLDER, Results, path_of
from experiments.claims.rule import AT_EDGE, VERDICTS, Contrast, Outcome, judge, metric_of, verdict

__all__ = ["LEDGER", "PLACE", "VERDICTS", "Claim", "load_ledger"]

LEDGER = Path(__file__).parent / "ledger.yaml"
# {setting/metric}, {setting/metric@low}, {setting/metric:.2f}
PLACE = re.compile(r"\{([^{}/]+)/([^{}/@:]+)(?:@(\w+))?(?::([^{}]+))?\}")

MINUS = "\u2212"
SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


@dataclass(frozen=True)
class Claim:
    """One line of the ledger.

    Attributes
    ----------
    id : str
        Also the name of its experiment, of its file of results and of its anchor on the page.
    section : int
        Of the article.
    claim : str
        What is claimed, in our words, and no more strongly than it is claimed.
    chapter, cell : str
        The notebook that tests it, without the ending, and the id of the cell; no cell if it is told with its sources.
    how : str
        Data, budget, tuning.
    contrasts : tuple of Contrast
        What the sentence stands for; from these, and nothing else, comes the verdict.
    of : {"all", "most", "some", "best"}
        For how many of them the sentence speaks: an "often" is most, a "sometimes" is some, a superlative is best.
    measured : str
        What came out, with places such as ``{momentum/steps:.0f}`` for numbers of the results.
    remarks : tuple of Contrast
        Other comparisons that `measured` makes: each has to come out as it says, or a test fails.
    found_for, found_against, sources : tuple of str
        Keys of the bibliography: who found it to be so, who found otherwise, and others.
    leaf : str
        If it is a leaf of the decision tree: the way to it.
    brief : str
        A few words for the summary of chapter 13; empty if it is not in there.
    belief : bool
        Whether it is a common belief that the article does not state.
    """

    id: str
    section: int
    claim: str
    chapter: str
    measured: str
    cell: str = ""
    how: str = ""
    contrasts: tuple[Contrast, ...] = ()
    of: str = "all"
    remarks: tuple[Contrast, ...] = ()
    found_for: tuple[str, ...] = ()
    found_against: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    leaf: str = ""
    brief: str = ""
    belief: bool = False
    folder: Path = field(default=FOLDER, repr=False)

    @property
    def is_measured(self) -> bool:
        return bool(self.contrasts)

    @property
    def results(self) -> Results:
        return _read(self.id, self.folder, path_of(self.id, self.folder).stat().st_mtime_ns)

    @property
    def outcomes(self) -> list[Outcome]:
        """What came out for each contrast."""
        return list(_judged(self, path_of(self.id, self.folder).stat().st_mtime_ns)) if self.contrasts else []

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`, by the rule of `experiments.claims.rule`."""
        return verdict(self.outcomes, self.of, self.found_for, self.found_against)

    @property
    def here(self) -> str:
        """The verdict of the runs alone, whatever the literature says."""
        return verdict(self.outcomes, self.of)

    @property
    def by(self) -> str:
        """The metric that the verdict is by, if another one contradicts it somewhere."""
        other = any(outcome.other_way() for outcome in self.outcomes)
        return self.contrasts[0].a.rpartition("/")[2] if other else ""

    @property
    def cited(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.found_for, *self.found_against, *self.sources)))

    def sentence(self) -> str:
        """What was measured, with the numbers filled in."""
        return PLACE.sub(self._number, self.measured)

    def evidence(self) -> list[str]:
        """A line for each contrast: the two medians, the differences, and the word."""
        return [_line(outcome, self.results) for outcome in self.outcomes]

    def seeds(self) -> int:
        """The most seeds behind one of the numbers of the sentence."""
        places = PLACE.findall(self.measured)
        return max((self.results.seeds(setting, metric) for setting, metric, *_ in places), default=0)

    def broken(self) -> list[str]:
        """What is not in order: a remark that does not hold, an unfair comparison, a best setting at an end."""
        if not self.is_measured:
            return []
        found = [
            f"'{outcome.contrast.part}' ({outcome.contrast.a} {outcome.contrast.expects}) is {outcome.word}"
            for outcome in judge(self.remarks, self.results)
            if outcome.word != "for"
        ]
        unfair = [o for o in self.outcomes if o.word == "void" and not o.why.startswith("the control failed")]
        found += [f"'{outcome.contrast.part}' is void: {outcome.why}" for outcome in unfair]
        return found + [f"the best setting of {setting} is at an end of its range" for setting in self.at_edges()]

    def at_edges(self) -> list[str]:
        """The tuned settings whose best hyperparameter lies at an end of what was tried."""
        if not self.is_measured:
            return []
        places = self.results.values
        return [s for s, metric in places if metric == AT_EDGE and self.results.median(s, metric)]

    def _number(self, place: re.Match[str]) -> str:
        setting, metric, statistic, how = place.groups()
        how, results = how or ".3g", self.results
        if statistic:
            return _written(getattr(results, statistic)(setting, metric), how)
        median = _written(results.median(setting, metric), how)
        if results.seeds(setting, metric) < 2:
            return median
        low, high = _written(results.low(setting, metric), how), _written(results.high(setting, metric), how)
        return f"{median} ({low} to {high})"


def load_ledger(path: Path = LEDGER, folder: Path = FOLDER) -> tuple[Claim, ...]:
    """All claims, in the article's order.

    Raises
    ------
    ValueError
        If an entry has a verdict (verdicts are worked out), or an id is there twice.
    """
    claims = tuple(_claim(entry, folder) for entry in yaml.safe_load(path.read_text(encoding="utf-8")))
    ids = [claim.id for claim in claims]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"{path.name} has these ids twice: {', '.join(twice)}")
    return claims


def _claim(entry: dict[str, Any], folder: Path) -> Claim:
    if "verdict" in entry:
        raise ValueError(f"{entry['id']}: a verdict is worked out from the contrasts, not written")
    compared = {name: tuple(Contrast(**each) for each in entry.pop(name, ())) for name in ("contrasts", "remarks")}
    lists = {name: tuple(entry.pop(name, ())) for name in ("found_for", "found_against", "sources")}
    words = {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in entry.items()}
    return Claim(**words, **compared, **lists, folder=folder)


@cache
def _judged(claim: Claim, _changed: int) -> tuple[Outcome, ...]:
    return tuple(judge(claim.contrasts, claim.results))


@cache
def _read(claim: str, folder: Path, _changed: int) -> Results:
    return Results.read(claim, folder)


WORDS = {"for": "as claimed", "against": "the opposite", "level": "no difference", "open": "cannot be told"}


def _line(outcome: Outcome, results: Results) -> str:
    contrast, metric = outcome.contrast, metric_of(outcome.contrast.a)
    sides = [_side(contrast.a, results, 1.0)]
    sides.append(_side(contrast.b, results, contrast.times) if isinstance(contrast.b, str) else f"{contrast.b:g}")
    if outcome.word == "void":
        return f"{contrast.part}: {' against '.join(sides)}. **Void**: {outcome.why}."
    many = outcome.p is not None
    ahead = ""
    if many:
        sign = -1 if contrast.expects == "lower" else 1
        middle = _written(sign * outcome.median * metric.scale, "+.3g")
        unit = f" {metric.unit}" if metric.unit else ""
        count = outcome.ahead if sign > 0 else outcome.behind
        ahead = f", a difference of {middle}{unit}, above zero on {count} of {len(outcome.differences)} pairs"
        ahead += f" (p = {_written(outcome.p, '.2g')})"
    word = WORDS[outcome.word]
    if contrast.expects == "level" and outcome.word == "against":
        word = "different"
    says = dict(outcome.also)
    also = "".join(f" By {name}: {WORDS[says[name]]}." for name in outcome.other_way())
    return f"{contrast.part}: {' against '.join(sides)}{ahead}. **{word.capitalize()}.**{also}"


def _side(place: str, results: Results, times: float) -> str:
    metric, value = metric_of(place), times * float(np.median(results.at(place)))
    return _written(value, ".1%" if metric.unit == "points" else ".0f" if abs(value) >= 100 else ".3g")


def _written(value: float, how: str) -> str:
    """A number for a sentence, with a true minus sign, and infinity in words."""
    if how == "points":  # of a difference of shares
        return f"{_written(100 * value, '.1f')} points"
    text = "never" if value == float("inf") else f"{value:{how}}"
    if re.fullmatch(r"-[0.]+%?", text):
        return text[1:]  # no minus zero
    mantissa, _, exponent = text.partition("e") if text != "never" else (text, "", "")
    power = str(int(exponent)).translate(SUPERSCRIPTS) if exponent else ""
    mantissa = mantissa.replace("-", MINUS)
    # A narrow no-break space keeps the parts together.
    return f"{mantissa}\u202f\u00d7\u202f10{power}" if power else mantissa
