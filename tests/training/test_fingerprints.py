"""A fingerprint is another one whenever a result could be: whatever decides it is seen, and only that."""

import functools
import os
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

import numpy as np
import pytest
import torch

from optim_lib.libraries import is_installed
from optim_lib.optimizers import SGD
from optim_lib.training.fingerprints import fingerprint

ROOT = Path(__file__).parents[2]


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    """A function that writes modules of a user's, imports the last one, and returns it."""
    monkeypatch.syspath_prepend(tmp_path)
    numbered = iter(range(100))

    def load(**sources):
        folder = tmp_path / f"version{next(numbered)}"
        folder.mkdir()
        monkeypatch.syspath_prepend(folder)
        for name, source in sources.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(source))
            monkeypatch.delitem(sys.modules, name, raising=False)
        return __import__(list(sources)[-1])

    return load


def weighted(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))


class Slotted:
    __slots__ = ("rate",)

    def __init__(self, rate):
        self.rate = rate


class Cached:
    def __init__(self, rate):
        self.rate = rate

    @functools.cached_property
    def half(self):
        return self.rate / 2


def makes(thing):
    """A function that has `thing` in its closure, as a task's `make_model` has its pretrained weights."""
    return lambda seed: thing


def with_buffer(value):
    module = weighted(0)
    module[1].running_mean.fill_(value)
    return module


CHANGES = {
    "the weights of a torch module": (lambda: makes(weighted(0)), lambda: makes(weighted(1))),
    "the running mean of a torch module": (lambda: makes(with_buffer(0.0)), lambda: makes(with_buffer(1.0))),
    "a tensor": (lambda: torch.tensor([1.0, 2.0]), lambda: torch.tensor([1.0, 2.5])),
    "a tensor in bfloat16": (
        lambda: torch.ones(2, dtype=torch.bfloat16),
        lambda: torch.zeros(2, dtype=torch.bfloat16),
    ),
    "where a generator is": (lambda: np.random.default_rng(0), lambda: np.random.default_rng(1)),
    "a path": (lambda: Path("a"), lambda: Path("b")),
    "an object with slots": (lambda: Slotted(0.1), lambda: Slotted(0.2)),
    "an array of objects": (
        lambda: np.array([{"rate": 0.1}], dtype=object),
        lambda: np.array([{"rate": 0.2}], dtype=object),
    ),
    "a counter of another package": (lambda: makes(iter([1, 2])), lambda: makes(iter([1, 3]))),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_objects_of_other_packages_hold_counts(what):
    one, other = CHANGES[what]
    assert fingerprint(one()) == fingerprint(one())
    assert fingerprint(one()) != fingerprint(other())


def test_which_of_two_alike_things_stands_where_counts():
    x, y = np.zeros(3), np.zeros(3)
    assert fingerprint([x, y, x]) != fingerprint([x, y, y])
    assert fingerprint([x, y, x]) == fingerprint([y, x, y])


def test_two_functions_on_one_line_are_told_apart():
    first, second = lambda t: 0.1 * t, lambda t: 0.2 * t
    assert fingerprint(first) != fingerprint(second)


def test_a_property_that_is_kept_counts(loaded):
    source = """
        from functools import cached_property
        class Rule:
            @cached_property
            def rate(self):
                return 0.1
    """
    assert fingerprint(loaded(rules=source).Rule) == fingerprint(loaded(rules=source).Rule)
    assert fingerprint(loaded(rules=source).Rule) != fingerprint(loaded(rules=source.replace("0.1", "0.2")).Rule)


def test_the_numbers_of_a_module_that_is_used_by_its_name_count(loaded):
    use = "import settings\ndef rate():\n    return settings.RATE\n"
    one = fingerprint(loaded(settings="RATE, OTHER = 0.1, 1", use=use).rate)
    assert fingerprint(loaded(settings="RATE, OTHER = 0.2, 1", use=use).rate) != one
    assert fingerprint(loaded(settings="RATE, OTHER = 0.1, 2", use=use).rate) == one


@pytest.mark.parametrize("how", ["from parts import make", "import parts; make = parts.make"])
def test_what_a_function_imports_inside_itself_counts(loaded, how):
    use = f"def model(seed):\n    {how}\n    return make(seed)\n"
    one = fingerprint(loaded(parts="def make(seed): return 1", use=use).model)
    assert fingerprint(loaded(parts="def make(seed): return 1", use=use).model) == one
    assert fingerprint(loaded(parts="def make(seed): return 2", use=use).model) != one
    assert fingerprint(loaded(use="def model(seed):\n    import not_there_at_all\n    return 1\n").model)


def test_a_file_that_was_edited_after_it_was_loaded_does_not_count(loaded):
    plus, minus = "def f(x):\n    return x + 1\n", "def f(x):\n    return x - 1\n"
    module = loaded(rules=plus)
    Path(module.__file__).write_text(minus)
    assert fingerprint(module.f) == fingerprint(loaded(rules=plus).f) != fingerprint(loaded(rules=minus).f)


def test_a_fresh_optimizer_and_one_with_a_past_differ():
    used = SGD(0.1)
    used.update({"w": np.ones(2)}, {"w": np.ones(2)})
    assert fingerprint(SGD(0.1)) == fingerprint(SGD(0.1)) != fingerprint(SGD(0.2))


# ------------------------------------------------------------------------------- where packages are installed

ASKED = """
import numpy as np
from exercises.guard import place_of
from optim_lib import tasks
from optim_lib.libraries import is_installed
from optim_lib.training.fingerprints import fingerprint

source = "def answer():\\n    return np.linalg.solve(np.zeros((2, 3)), np.zeros(2))\\n"
space = {"np": np}
exec(compile(source, "student.py", "exec"), space)
try:
    space["answer"]()
except np.linalg.LinAlgError as error:
    print(place_of(error.__traceback__))
print(is_installed(np.__file__))
print(fingerprint(tasks.regression))
"""


@pytest.mark.parametrize("folder", ["dist-packages", "site-packages", "packages"])
def test_packages_are_known_wherever_the_installation_puts_them(folder, tmp_path):
    """As on Debian, with ``pip install --user``, and with ``--target``: not where sysconfig says."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    packages = tmp_path / "lib" / folder
    packages.mkdir(parents=True)
    where = Path(np.__file__).parents[1]
    for name in (path for path in where.iterdir() if path.name.startswith("numpy")):
        (packages / name.name).symlink_to(name)
    (next((tmp_path / "venv").glob("lib/*/site-packages")) / "system.pth").write_text(str(packages))
    python = tmp_path / "venv" / "bin" / "python"
    answers = [
        subprocess.run(
            [python, "-c", ASKED], capture_output=True, text=True, check=True, cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        ).stdout.splitlines()
        for seed in ("1", "2")
    ]  # fmt: skip
    assert answers[0] == answers[1]
    assert answers[0][:2] == [" in line 2", "True"]


def test_the_course_and_a_students_file_are_no_packages(tmp_path):
    assert not is_installed(__file__)
    assert not is_installed(str(tmp_path / "mine.py"))
    assert not is_installed("<ipython-input-1>")
    assert is_installed(np.__file__)
    assert is_installed(os.__file__)
