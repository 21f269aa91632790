"""Shared by the tests of a class: folders of submissions, made of known answers."""

import json

import pytest

from exercises import get
from exercises.registry import chapters

CHAPTER = tuple(one.id for number, _, found in chapters() for one in found if number == 8)


def all_points(without=None):
    """All points of chapter 8, but for one exercise's, as a table has them."""
    return str(sum(get(id).points for id in CHAPTER if id != without))


def notebook(sources, tags=True, imports="import numpy as np\nfrom exercises import check, hint"):
    """A notebook with these sources as answers, each with its check, as plain data."""
    cells = [code(imports)]
    for id, source in sources.items():
        cells.append(code(source, [f"ex-{id}"] if tags else []))
        cells.append(code(f'check("{id}", {get(id).answer})'))
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def code(source, tags=()):
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": []}


def solved(**others):
    """Chapter 8 solved, but for the answers given as ``ex_8_2="..."``."""
    return {id: others.get("ex_" + id.replace(".", "_"), get(id).solution) for id in CHAPTER}


@pytest.fixture
def hand_in(tmp_path):
    """Put a notebook, bytes or text into the folder of submissions."""
    folder = tmp_path / "handed in"

    def put(name, content, encoding="utf-8"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            content = json.dumps(content, ensure_ascii=False)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    put.folder = folder
    folder.mkdir()
    return put
