"""Read a notebook however it was saved: in any usual encoding, of any version, or as a script."""

import json
import re
from dataclasses import dataclass


class NotANotebook(Exception):
    """The bytes are no notebook; the message says why."""


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook: what kind it is, its source, its tags, and its number as a student counts (from 1)."""

    kind: str
    source: str
    tags: tuple[str, ...]
    number: int


def cells(data: bytes, name: str = "") -> list[Cell]:
    """The cells of a notebook, or of a script that an editor or ``jupyter nbconvert`` made of one.

    Raises
    ------
    NotANotebook
    """
    text = decoded(data)
    if not text.strip():
        raise NotANotebook("it is empty")
    if name.lower().endswith(".py"):
        return _of_script(text)
    try:
        content = json.loads(text)
    except RecursionError:
        raise NotANotebook("its JSON is nested too deeply") from None
    except ValueError as error:
        raise NotANotebook(f"it is not JSON ({error})") from None
    found = _cells_of(content)
    if found is None:
        raise NotANotebook("it is JSON, but has no cells")
    return [_cell(cell, number) for number, cell in enumerate(found, start=1) if isinstance(cell, dict)]


def decoded(data: bytes) -> str:
    """Text of bytes in UTF-8, UTF-16 or UTF-32, with or without a mark, or else in the Windows code page.

    >>> decoded("β".encode("utf-16")), decoded("Größe".encode("cp1252"))
    ('β', 'Größe')
    """
    try:
        return data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _cells_of(content: object) -> list | None:
    if not isinstance(content, dict):
        return None
    found = content.get("cells")
    if found is None and isinstance(content.get("worksheets"), list):  # as before 2015
        found = [
            cell
            for sheet in content["worksheets"]
            if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
            for cell in sheet["cells"]
        ]
    return found if isinstance(found, list) else None


def _cell(cell: dict, number: int) -> Cell:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    metadata = cell.get("metadata")
    tags = metadata.get("tags", ()) if isinstance(metadata, dict) else ()
    return Cell(
        kind=str(cell.get("cell_type", "")),
        source=source if isinstance(source, str) else "",
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        number=number,
    )


_MARK = re.compile(r"^# (?:%%|In ?\[[\d ]*\]:?)(.*)$", re.MULTILINE)


def _of_script(text: str) -> list[Cell]:
    """The cells of a script, between its ``# %%`` or ``# In[3]:``; without any, the whole is one."""
    marks = list(_MARK.finditer(text))
    starts = [0, *(mark.end() for mark in marks)]
    ends = [*(mark.start() for mark in marks), len(text)]
    kinds = ["code", *("markdown" if "[markdown]" in mark[1] else "code" for mark in marks)]
    return [
        Cell(kind, text[start:end].strip("\n"), (), number)
        for number, (kind, start, end) in enumerate(zip(kinds, starts, ends, strict=True))
        if text[start:end].strip()
    ]
