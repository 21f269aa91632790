"""The tables of the page on speed, from the numbers that `make bench` measured and saved; nothing is timed here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from IPython.display import Markdown

from optim_lib import plotting
from optim_lib.pages import Piece

RESULTS = Path(__file__).parent / "results" / "speed.json"
SIZES = ("1e4", "1e6", "1e7")
DEFAULT, FUSED, ADAM = "torch.optim, default", "torch.optim, fused", "torch.optim.Adam, default"
SINGLE = "torch.optim, in float32"
Ratios = Sequence[dict[str, Any]]


def load() -> Ratios:
    """Every ratio of the last run of all benchmarks."""
    saved = json.loads(RESULTS.read_text(encoding="utf-8"))
    return [{**ratio, "ratio": ratio["ours"] / ratio["theirs"]} for ratio in saved["ratios"]]


def where() -> str:
    """What the numbers were measured with."""
    versions = json.loads(RESULTS.read_text(encoding="utf-8"))["versions"]
    processor = versions.pop("processor")
    return f"Measured on one thread of {processor}, with " + ", ".join(f"{k} {v}" for k, v in versions.items()) + "."


def updates(ratios: Ratios | None = None) -> Piece:
    """`update()` of the rules that torch.optim has, at each size."""
    measured = load() if ratios is None else ratios
    rows = _by_rule(measured, DEFAULT, FUSED)
    columns = {"rule": "rule"}
    columns |= {(DEFAULT, size): f"default, {size}" for size in SIZES}
    columns |= {(FUSED, size): f"fused, {size}" for size in SIZES}
    caption = "Time of `update()` in units of torch.optim's, float32; below 1 ours is faster, in **bold** it is not"
    notes = [
        f"{ratio['what'].removesuffix('.update()')}'s default computes in bfloat16; in float32, as ours does, "
        f"the ratio at {ratio['size']} is {_times(ratio)}."
        for ratio in measured
        if ratio["peer"] == SINGLE and ratio["size"] == "1e6"
    ]
    return _table(rows, columns, caption, *notes, where())


def others(ratios: Ratios | None = None) -> Piece:
    """`update()` of the rules that torch.optim lacks, in units of its Adam."""
    rows = _by_rule(load() if ratios is None else ratios, ADAM)
    columns = {"rule": "rule"} | {(ADAM, size): size for size in SIZES}
    return _table(rows, columns, "Rules that torch.optim does not have, in units of its Adam")


def steps(ratios: Ratios | None = None) -> Piece:
    """Whole training steps, and the grid of an explorer."""
    whole = [ratio for ratio in (load() if ratios is None else ratios) if not ratio["size"]]
    rows = [
        (
            ratio["what"].replace("training step of", "a step of"),
            ratio["peer"],
            _times(ratio),
            f"{ratio['ours'] * 1e3:.1f}",
        )
        for ratio in sorted(whole, key=lambda ratio: ratio["what"].startswith("sweep"))
    ]
    headings = ["what", "against", "ratio", "ours, ms"]
    return plotting.table(rows, headings, caption="Time of ours in units of the other, and in milliseconds")


def slower(ratios: Ratios | None = None) -> Any:
    """Every ratio that is over its aim, the furthest first; or a sentence, if none is."""
    measured = load() if ratios is None else ratios
    over = [ratio for ratio in measured if ratio["bar"] is not None and ratio["ratio"] > ratio["bar"]]
    if not over:
        return Markdown("In this run, nowhere.")
    rows = [
        (ratio["what"], ratio["size"], ratio["peer"], _times(ratio), f"{ratio['bar']:g}")
        for ratio in sorted(over, key=lambda ratio: -ratio["ratio"] / ratio["bar"])
    ]
    return plotting.table(rows, ["what", "size", "against", "ratio", "aim"], caption="Where the aim was missed")


def _by_rule(ratios: Ratios, *peers: str) -> list[dict[Any, Any]]:
    rows: dict[str, dict[Any, Any]] = {}
    for ratio in ratios:
        if ratio["size"] and ratio["peer"] in peers:
            rule = ratio["what"].removesuffix(".update()")
            rows.setdefault(rule, {"rule": rule})[ratio["peer"], ratio["size"]] = ratio
    return list(rows.values())


def _table(rows: list[dict[Any, Any]], columns: dict[Any, str], caption: str, *notes: str) -> Piece:
    cells = [
        [row["rule"], *(_marked(row[key]) if key in row else "-" for key in columns if key != "rule")] for row in rows
    ]
    return plotting.table(cells, list(columns.values()), caption=caption, notes=notes)


def _marked(ratio: dict[str, Any]) -> str:
    return f"**{_times(ratio)}**" if ratio["ratio"] >= 1.005 else _times(ratio)


def _times(ratio: dict[str, Any]) -> str:
    value = ratio["ratio"]
    return f"{value:.2f}" if 0.01 <= value < 10 else f"{value:.0f}" if value >= 10 else f"1/{1 / value:.0f}"
