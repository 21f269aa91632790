"""A pytest plugin beside nbval: each comparison that agrees is made again with each stored output changed.

A cell's report gets two properties: ``changes``, how many changed copies of its stored outputs nbval was asked to
compare with what the cell gave, and ``noticed``, how many of them it told from it. A cell that nbval does not compare
has neither. So one run of a notebook shows both that it gives what is stored, and that nothing else would have passed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from nbformat import NotebookNode


def changes_of(outputs: list[NotebookNode]) -> Iterator[list[NotebookNode]]:
    """Copies of a cell's outputs with one piece of text changed in each: of a stream, an error, or a format."""
    for place, output in enumerate(outputs):
        where = {"stream": ["text"], "error": ["ename", "evalue"]}.get(output.output_type, output.get("data", {}))
        for key in where:
            changed = copy.deepcopy(outputs)
            holder = changed[place].data if "data" in output else changed[place]
            if isinstance(holder[key], str):
                holder[key] += "changed"
                yield changed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        _watch(item)


def _watch(item: Any) -> None:
    compare = item.compare_outputs

    def compare_outputs(test: list[NotebookNode], stored: list[NotebookNode], **options: Any) -> bool:
        changed = list(changes_of(stored))
        noticed = sum(not compare(test, outputs, **options) for outputs in changed)
        item.user_properties += [("changes", len(changed)), ("noticed", noticed)]
        return compare(test, stored, **options)

    item.compare_outputs = compare_outputs
