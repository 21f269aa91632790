"""The sentence under a figure as it opens.

The page says the same for every other setting (``js/sentences.js``): a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optim_lib.explorer import table as tables
from optim_lib.explorer.table import DIVERGED, Series, Table
from optim_lib.explorer.words import listed, loss_text, plain_number

Codes = NDArray[np.integer]


def setting_text(spec: dict[str, Any], setting: Sequence[int], axes: Sequence[int] | None = None) -> str:
    """Values of axes in words: "learning rate 0.1 and beta1 0.9"."""
    places = range(len(spec["axes"])) if axes is None else axes
    return listed([f"{spec['axes'][k]['name']} {spec['axes'][k]['labels'][setting[k]]}" for k in places])


def opening(spec: dict[str, Any], data: Table, view: Sequence[float]) -> str:
    """What a figure of descents says at first: at its last step, from its first start."""
    codes = [tables.loss_codes(_run(series, data)) for series in data.series]
    if len(data.series) > 1:
        return _race(spec, data, codes)
    points = data.series[0].points[(0, *(data.initial[axis] for axis in data.series[0].axes))]
    start = "From start A, with" if len(data.starts) > 1 else "With"
    fate = _fate(spec, codes[0], tables.point_units(points, view))
    return f"{start} {setting_text(spec, data.initial)}, {fate}. {_best(spec, data, int(codes[0][-1]))}".strip()


def _run(series: Series, data: Table) -> NDArray[np.floating]:
    return series.gaps[(0, *(data.initial[axis] for axis in series.axes))]


def _measured(spec: dict[str, Any]) -> str:
    return "the " + spec["measure"].replace("the minimum", "its minimum")


def _fate(spec: dict[str, Any], codes: Codes, units: NDArray[np.integer]) -> str:
    steps, first, last = len(codes) - 1, int(codes[0]), int(codes[-1])
    outside = (units < 0) | (units > tables.UNITS)
    if last == DIVERGED:
        gone = int(np.argmax(codes == DIVERGED))
        far = outside[gone - 1].any() or gone <= 1
        where = "over 1000 windows away" if far else "no longer a number"
        return f"the run diverges: at step {gone} it is {where}"
    aside = ", outside the picture" if outside[-1].any() else ""
    if last == first:
        return f"{_measured(spec)} is still {loss_text(first)} after {steps} of {steps} steps{aside}"
    moves = "falls" if last < first else "rises"
    return f"{_measured(spec)} {moves} from {loss_text(first)} to {loss_text(last)} in {steps} steps{aside}"


def _best(spec: dict[str, Any], data: Table, here: int) -> str:
    """Where on the map runs end lowest: over the hyperparameters, with what belongs to the problem as it stands."""
    flat = len(data.axes) == 1
    mapped = [0] if flat else [0, 1]
    free = [axis for axis in mapped if not spec["axes"][axis]["given"]]
    if not free or any(quest["hidesBest"] for quest in spec["quests"]):
        return ""
    kept = tuple(slice(None) if axis in free else data.initial[axis] for axis in range(len(data.axes)))
    codes = tables.loss_codes(data.series[0].gaps[0, ..., -1][kept])
    lowest = int(codes.min())
    if lowest == DIVERGED:
        return "Every setting on this map diverges."
    if lowest == here:
        return "No setting on this map ends lower."
    best = iter(np.unravel_index(int(codes.argmin()), codes.shape))
    setting = [int(next(best)) if axis in free else data.initial[axis] for axis in range(len(data.axes))]
    given = [axis for axis in mapped if axis not in free]
    head = f"With {setting_text(spec, setting, given)}, the" if given else "The"
    among = ", for one" if (codes == lowest).sum() > 1 else ""
    return f"{head} best on this map is {setting_text(spec, setting, free)}{among}, which ends {_at(lowest)}."


def _race(spec: dict[str, Any], data: Table, codes: Sequence[Codes]) -> str:
    labels = [series["label"] for series in spec["series"]]
    runs = sorted(
        ((int(run[-1]), label) for run, label in zip(codes, labels, strict=True) if run[-1] != DIVERGED),
        key=lambda item: item[0],
    )
    lost = [
        f"{label} diverged at step {int(np.argmax(run == DIVERGED))}"
        for run, label in zip(codes, labels, strict=True)
        if run[-1] == DIVERGED
    ]
    above = "" if spec["measure"] == "loss" else spec["measure"].removeprefix("loss ") + ", "
    living = f"{above}{standings(runs)}" if runs else ""
    after = f"after {data.steps} step{'' if data.steps == 1 else 's'}"
    told = "; ".join(part for part in (living, "; ".join(lost)) if part)
    return f"With {setting_text(spec, data.initial)}, {after}: {told}."


def standings(runs: Sequence[tuple[int, str]]) -> str:
    """Who stands where, the lowest first; level ones are said to be level.

    Examples
    --------
    >>> standings([(900 * 15, "Adam"), (900 * 15, "SGD"), (900 * 16, "AdaGrad")])
    'Adam and SGD are level at 0.1, then AdaGrad at 1'
    """
    groups: list[tuple[int, list[str]]] = []
    for code, label in runs:
        if groups and groups[-1][0] == code:
            groups[-1][1].append(label)
        else:
            groups.append((code, [label]))
    (code, names), *rest = groups
    state = "are level" if len(names) > 1 else "is lowest" if rest else "is"
    lead = f"{listed(names)} {state} {_at(code)}"
    then = [f"{listed(others)} {_at(code)}" for code, others in rest]
    return f"{lead}, then {listed(then)}" if then else lead


def _at(code: int) -> str:
    return f"at {loss_text(code)}".replace("at under", "under")


def opening_of_curves(spec: dict[str, Any], codes: dict[str, Codes]) -> str:
    """What a figure of curves says at first; `codes` are those of the judged panel, by label, over the whole grid."""
    panel, here = spec["panels"][spec["judged"]], spec["initial"]
    fates = []
    for label, whole in codes.items():
        run = whole[tuple(at if size > 1 else 0 for at, size in zip(here, whole.shape, strict=False))]
        gone = np.flatnonzero(run == DIVERGED)
        x = spec["x"][gone[0]] if gone.size else None
        fate = f"diverges at {spec['xlabel']} {x:g}" if gone.size else _ending(panel, int(run[-1]))
        fates.append(f"{fate} for {label}" if len(codes) > 1 else fate)
    # "ends at 2 for this and at 3 for that"
    verb = _verb(panel)
    short = [fate.removeprefix(verb) if k and fates[k - 1].startswith(verb) else fate for k, fate in enumerate(fates)]
    best = "" if any(quest["hidesBest"] for quest in spec["quests"]) else _best_of_curves(spec, codes)
    return f"With {setting_text(spec, here)}, the {panel['title']} {listed(short)}.{best}"


def _best_of_curves(spec: dict[str, Any], codes: dict[str, Codes]) -> str:
    panel, ideal = spec["panels"][spec["judged"]], spec["ideal"]
    free = [axis for axis, told in enumerate(spec["axes"]) if not told["given"]]
    if ideal is None or not free:
        return ""
    sizes = [len(told["labels"]) for told in spec["axes"]]
    kept = tuple(slice(None) if axis in free else spec["initial"][axis] for axis in range(len(sizes)))
    ends = np.stack([np.broadcast_to(whole[..., -1], sizes)[kept] for whole in codes.values()])
    away = ends.astype(np.float64) if ideal == 0 else np.abs(level(panel, ends) - level_of(panel, ideal))
    away[ends == DIVERGED] = np.inf
    if not np.isfinite(away).any():
        return ""
    which = ("lowest", "lower") if ideal == 0 else (f"nearest to {ideal:g}", f"nearer to {ideal:g}")
    here = tuple(spec["initial"][axis] for axis in free)
    if away[(slice(None), *here)].min() == away.min():
        return f" No setting on these sliders {_verb(panel)}{which[1]}."
    place = np.unravel_index(int(away.argmin()), away.shape)
    best = dict(zip(free, map(int, place[1:]), strict=True))
    setting = [best.get(axis, spec["initial"][axis]) for axis in range(len(sizes))]
    who = f"{list(codes)[int(place[0])]} with " if len(codes) > 1 else ""
    given = [axis for axis in range(len(sizes)) if axis not in free]
    head = f" With {setting_text(spec, setting, given)}, the" if given else " The"
    among = ", for one" if (away == away.min()).sum() > 1 else ""
    ending = f"{'where it' if _reads(panel) else 'which'} {_ending(panel, int(ends[place]))}"
    found = f"{who}{setting_text(spec, setting, free)}{among}, {ending}"
    return f"{head} {which[0]} on these sliders is {found}."


def level(panel: dict[str, Any], codes: Codes) -> NDArray[np.floating]:
    """What codes stand for on a panel's axis: a decade, if that is logarithmic."""
    if panel["log"]:
        codes = codes.astype(np.int64)
        return codes // 900 - 18 + np.log10(codes % 900 + 100)
    low, high = panel["range"]
    return low + codes / tables.STEPS * (high - low)


def level_of(panel: dict[str, Any], value: float) -> float:
    """Where a value lies on a panel's axis."""
    return float(np.log10(value)) if panel["log"] else value


def value_text(panel: dict[str, Any], code: int) -> str:
    """A panel's value in words."""
    if code == DIVERGED:
        return "diverged"
    if panel["log"]:
        return loss_text(code)
    low, high = panel["range"]
    return plain_number(float(level(panel, np.array(code))), high - low)


def _reads(panel: dict[str, Any]) -> bool:
    """Whether a panel is no chart but the numbers that a scene is told by."""
    return panel.get("type") == "reading"


def _verb(panel: dict[str, Any]) -> str:
    return "is " if _reads(panel) else "ends "


def _ending(panel: dict[str, Any], code: int) -> str:
    if _reads(panel):
        return f"is {value_text(panel, code)}"
    return f"ends at {value_text(panel, code)}".replace("at under", "under")
