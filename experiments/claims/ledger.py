"""The ledger: what the article claims, where it is tested, and what came out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from experiments.claims.results import FOLDER, Results, path_of

LEDGER = Path(__file__).parent / "ledger.yaml"
VERDICTS = ("holds here", "holds partly", "does not hold here", "disputed", "not testable here")
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
        What the article says, in our words.
    chapter, cell : str
        The notebook that tests it, without the ending, and the id of the cell; no cell if it is told with its sources.
    how : str
        Data, budget, tuning.
    verdict : str
        One of `VERDICTS`.
    measured : str
        What came out, with places such as ``{momentum/steps:.0f}`` for numbers of the results.
    follows : tuple of str
        Conditions on the results under which the verdict stands.
    sources : tuple of str
        Keys of the bibliography.
    leaf : str
        If it is a leaf of the article's decision tree: the way to it.
    """

    id: str
    section: int
    claim: str
    chapter: str
    verdict: str
    measured: str
    cell: str = ""
    how: str = ""
    follows: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    leaf: str = ""
    folder: Path = field(default=FOLDER, repr=False)

    @property
    def is_measured(self) -> bool:
        return self.verdict != "not testable here"

    @property
    def results(self) -> Results:
        return _read(self.id, self.folder, path_of(self.id, self.folder).stat().st_mtime_ns)

    def sentence(self) -> str:
        """What was measured, with the numbers filled in."""
        return PLACE.sub(self._number, self.measured)

    def seeds(self) -> int:
        """The most seeds behind one of the numbers of the sentence."""
        places = PLACE.findall(self.measured)
        return max((self.results.seeds(setting, metric) for setting, metric, *_ in places), default=0)

    def broken(self) -> list[str]:
        """The conditions of the verdict that the results do not meet."""
        if not self.is_measured:
            return []
        results = self.results
        names: dict[str, Any] = {"median": results.median, "low": results.low, "high": results.high, "abs": abs}
        names |= {"values": results.get, "never": float("inf")}
        return [condition for condition in self.follows if not eval(condition, {"__builtins__": {}}, names)]

    def at_edges(self) -> list[str]:
        """The tuned settings whose best hyperparameter lies at an end of what was tried."""
        if not self.is_measured:
            return []
        return [
            setting for setting, metric in self.results.values
            if metric == "at the edge" and self.results.median(setting, metric)
        ]  # fmt: skip

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
        If a verdict is not one of `VERDICTS`, or an id is there twice.
    """
    claims = tuple(_claim(entry, folder) for entry in yaml.safe_load(path.read_text(encoding="utf-8")))
    ids = [claim.id for claim in claims]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise ValueError(f"{path.name} has these ids twice: {', '.join(twice)}")
    return claims


def _claim(entry: dict[str, Any], folder: Path) -> Claim:
    if entry["verdict"] not in VERDICTS:
        raise ValueError(f"{entry['id']}: verdict must be one of {', '.join(VERDICTS)}, got {entry['verdict']!r}")
    lists = {name: tuple(entry.pop(name, ())) for name in ("follows", "sources")}
    words = {name: " ".join(value.split()) if isinstance(value, str) else value for name, value in entry.items()}
    return Claim(**words, **lists, folder=folder)


@cache
def _read(claim: str, folder: Path, _changed: int) -> Results:
    return Results.read(claim, folder)


def _written(value: float, how: str) -> str:
    """A number for a sentence, with a true minus sign, and infinity in words."""
    text = "never" if value == float("inf") else f"{value:{how}}"
    if re.fullmatch(r"-[0.]+%?", text):
        return text[1:]  # no minus zero
    mantissa, _, exponent = text.partition("e") if text != "never" else (text, "", "")
    power = str(int(exponent)).translate(SUPERSCRIPTS) if exponent else ""
    mantissa = mantissa.replace("-", MINUS)
    # A narrow no-break space keeps the parts together.
    return f"{mantissa}\u202f\u00d7\u202f10{power}" if power else mantissa
