"""Tables of numbers: HTML for a page and a screen reader, aligned plain text elsewhere."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from optim_lib.pages import Piece, inline, page_piece, plain


def table(
    rows: Sequence[Any],
    columns: Sequence[str] | Mapping[str, str] | None = None,
    *,
    caption: str = "",
    formats: Mapping[str, str] | str = ".3g",
    missing: str = "never",
    notes: Sequence[str] = (),
) -> Piece:
    """A table whose numbers are rounded, so that it reads well and is the same on every machine.

    Parameters
    ----------
    rows : sequence of mappings, dataclasses or sequences
        The first column names the row.
    columns : sequence of str, or mapping of key to heading, optional
        Which columns, in which order, under which headings; by default all of the first row. For rows that are
        sequences, the headings.
    caption : str
        Above the table; marks as in `show`.
    formats : str, or mapping of column to str, default ".3g"
        How to write floats. Whole numbers are written in full, unless their column has a format of its own.
    missing : str, default "never"
        Stands for None, NaN and infinity.
    notes : sequence of str
        Sentences under the table.

    Examples
    --------
    >>> table([{"optimizer": "SGD", "steps": 1200}, {"optimizer": "Adam", "steps": None}], caption="Steps to 1e-6")
    Steps to 1e-6
    optimizer  steps
    ---------  -----
    SGD         1200
    Adam       never
    """
    records = [_record(row, columns) for row in rows]
    if not records:
        raise ValueError("rows must have at least one row, got none")
    headings = _headings(columns, records[0])
    _refuse_unknown("columns", headings, {key for record in records for key in record})
    _refuse_unknown("formats", () if isinstance(formats, str) else formats, headings)
    cells = [[_text(record.get(key), _format(formats, key), missing) for key in headings] for record in records]
    words = [all(isinstance(record.get(key), str) for record in records) for key in headings]
    titles = list(headings.values())
    return Piece(_html(titles, cells, words, caption, notes), _plain_text(titles, cells, words, plain(caption), notes))


def _refuse_unknown(name: str, keys: Iterable[str], known: Collection[str]) -> None:
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise KeyError(f"{name} must name what the rows have, {', '.join(map(str, known))}; got {unknown[0]!r}")


def _record(row: Any, columns: Sequence[str] | Mapping[str, str] | None) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    if dataclasses.is_dataclass(row):
        return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    if columns is None or len(columns) != len(row):
        raise ValueError(f"columns must name the {len(row)} values of a row that is a sequence, got {columns!r}")
    return dict(zip(columns, row, strict=True))


def _headings(columns: Sequence[str] | Mapping[str, str] | None, first: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(columns, Mapping):
        return dict(columns)
    return {key: str(key).replace("_", " ") for key in (columns if columns is not None else first)}


def _format(formats: Mapping[str, str] | str, key: str) -> tuple[str, bool]:
    """How to write a number of this column, and whether this was said for the column itself."""
    if isinstance(formats, str):
        return formats, False
    return formats.get(key, ".3g"), key in formats


def _text(value: Any, how: tuple[str, bool], missing: str) -> str:
    number_format, own = how
    if value is None or (isinstance(value, float | np.floating) and not np.isfinite(value)):
        return missing
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating) or (own and isinstance(value, int | np.integer)):
        return f"{value:{number_format}}"
    return str(value)


def _html(titles: list[str], cells: list[list[str]], words: list[bool], caption: str, notes: Sequence[str]) -> str:
    classes = [' class="up-words"' if left else "" for left in words]
    head = "".join(f'<th scope="col"{c}>{inline(title)}</th>' for title, c in zip(titles, classes, strict=True))
    body = "".join(
        f'<tr><th scope="row"{classes[0]}>{inline(row[0])}</th>'
        + "".join(f"<td{c}>{inline(cell)}</td>" for cell, c in zip(row[1:], classes[1:], strict=True))
        + "</tr>"
        for row in cells
    )
    name = f"<caption>{inline(caption)}</caption>" if caption else ""
    label = escape(plain(caption) or "table", quote=True)
    below = "".join(f'<p class="up-note">{inline(note)}</p>' for note in notes)
    return page_piece(
        f'<div class="up-scroll" role="region" aria-label="{label}" tabindex="0"><table>{name}'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{below}"
    )


def _plain_text(
    titles: list[str], cells: list[list[str]], words: list[bool], caption: str, notes: Sequence[str]
) -> str:
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, words, strict=True)
        )
        return "  ".join(padded).rstrip()

    top = [caption] if caption else []
    return "\n".join(
        [*top, line(titles), line(["-" * width for width in widths]), *map(line, cells), *map(plain, notes)]
    )
