"""Every example in a docstring runs, and prints what it says: many of them are in the API reference."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("optim_lib", "exercises", "experiments", "tools")
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


def test_the_optimizers_have_examples():
    assert {f"optim_lib.optimizers.{name}" for name in ("adam", "groups", "matrix", "sgd")} < set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    module = importlib.import_module(name)
    on_demand = {exported: getattr(module, exported) for exported in getattr(module, "__all__", ())}
    found = doctest.testmod(module, extraglobs=on_demand)
    assert found.attempted
    assert not found.failed
