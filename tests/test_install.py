"""What is installed: one list with exact pins, the rest constrained, and a wheel whose core needs NumPy alone."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import numpy as np
import pytest

from optim_lib.extras import EXTRAS

ROOT = Path(__file__).parents[1]
PACKAGES = ("optim_lib", "exercises", "experiments")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def normal(name: str) -> str:
    """A distribution's name as packaging compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: str) -> dict[str, str]:
    """The versions that a file of requirements pins, by name."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {normal(m[1]): m[2] for line in lines if (m := re.match(r"([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", line))}


# --- the lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-test.txt"])
def test_the_constraints_pin_what_the_requirements_pin(file):
    constrained = pins("constraints.txt")
    assert {name: constrained.get(name) for name in pins(file)} == pins(file), "run: make constraints"


def test_whatever_the_pinned_packages_need_is_constrained():
    constrained, missing = pins("constraints.txt"), set()
    installed = {normal(found.name) for found in importlib.metadata.distributions()}
    for name in constrained:
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system
        needed = {normal(re.match(r"[\w.-]+", need)[0]) for need in needs if "extra ==" not in need}
        missing |= needed & installed - constrained.keys()
    assert missing == set()


def declared() -> set[str]:
    """The distributions that the project declares, in any extra."""
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return {normal(re.match(r"[\w.-]+", need)[0]) for needs in lists for need in needs} - {PROJECT["name"]}


def imported() -> set[str]:
    """The top-level modules that the packages import from elsewhere."""
    found = set()
    for file in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - set(PACKAGES) - {"__future__"}


def test_whatever_is_imported_is_declared():
    providers = importlib.metadata.packages_distributions()
    undeclared = {name for name in imported() if not {normal(d) for d in providers.get(name, [])} & declared()}
    assert undeclared == set()


def test_all_means_whatever_the_chapters_need():
    extras = PROJECT["optional-dependencies"]
    listed = {part for need in extras["all"] + extras["notebook"] for part in re.findall(r"\[([\w,]+)\]", need)}
    assert {name for names in listed for name in names.split(",")} == extras.keys() - {"all", "classroom"}


# --- the wheel alone -----------------------------------------------------------------------------------

SOURCES = (*PACKAGES, "pyproject.toml", "README.md", "LICENSE", "LICENSE-text", "NOTICE")


def python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(*command: str | Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # or pip finds us there
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Path:
    """An environment that has the project's wheel and NumPy, nothing else. Nothing is downloaded."""
    folder = tmp_path_factory.mktemp("install")
    source, environment = folder / "source", folder / "environment"
    source.mkdir()
    for name in SOURCES:  # a copy, since setuptools leaves its own folders beside what it builds
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, source / name)
    pip, options = [sys.executable, "-m", "pip"], ["--quiet", "--disable-pip-version-check", "--no-deps"]
    run(*pip, "wheel", *options, "--no-build-isolation", "--wheel-dir", folder, source)
    venv.create(environment, with_pip=False)
    (wheel,) = folder.glob("understanding_optimizers-*.whl")
    run(*pip, "--python", python_of(environment), "install", *options, "--no-index", wheel)
    site = Path(run(python_of(environment), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for found in Path(np.__file__).parents[1].glob("numpy*"):
        (site / found.name).symlink_to(found)
    return environment


CORE = """
import sys, time
begin = time.perf_counter()
from optim_lib import Adam
seconds = time.perf_counter() - begin
from optim_lib import descend, landscapes
descend(Adam(learning_rate=0.1), landscapes.rosenbrock, steps=5)
print(seconds)
"""
CHECK = """
import time
begin = time.perf_counter()
from exercises import check, get
exercise = get("8.2")
print(check("8.2", exercise.load(exercise.solution)).status, time.perf_counter() - begin)
"""


def test_the_wheel_alone_gives_the_core_and_the_exercises(bare, tmp_path, monkeypatch):
    """The size and the times are printed (pytest -s); they are no test, since a machine may be busy."""
    python = python_of(bare)
    seconds = run(python, "-I", "-W", "error", "-c", CORE)
    monkeypatch.setenv("OPTIM_COURSE_PROGRESS", str(tmp_path / "progress.json"))
    status, first_verdict = run(python, "-I", "-W", "error", "-c", CHECK).split()
    assert status == "right"
    site = next(bare.rglob("optim_lib")).parent
    size = sum(file.stat().st_size for package in PACKAGES for file in (site / package).rglob("*"))
    print(f"installed without NumPy: {size / 1e6:.1f} MB")
    print(f"from optim_lib import Adam: {float(seconds):.2f} s; first verdict: {float(first_verdict):.2f} s")
    assert size < 8e6


@pytest.mark.parametrize(
    ("use", "extra"),
    [
        ("from optim_lib.plotting import lines", "plot"),
        ("from optim_lib import explore", "notebook"),
        ("from optim_lib.training.results import Results; Results('x', 'y')", "train"),
        ("from optim_lib.data import digits; digits()", "train"),
        ("from optim_lib.training import TorchModel; TorchModel(None)", "torch"),
        (
            "from optim_lib.optimizers import Adam; from optim_lib.measure import *; compare_with_torch(Adam(), None)",
            "torch",
        ),
        ("import experiments.ch01", "all"),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_brings_it(bare, use, extra):
    done = subprocess.run([python_of(bare), "-I", "-c", use], cwd=bare, capture_output=True, text=True, check=False)
    assert f'pip install "understanding-optimizers[{extra}]"' in done.stderr, done.stderr


def test_each_extra_that_an_error_names_brings_the_package():
    needs = PROJECT["optional-dependencies"]
    providers = importlib.metadata.packages_distributions()
    for extra, packages in EXTRAS.items():
        listed = {normal(re.match(r"[\w.-]+", need)[0]) for need in needs[extra]}
        for package in packages:
            assert {normal(d) for d in providers[package]} & listed, f"{package} is not in the extra {extra}"


def test_the_wheel_has_whatever_the_packages_read(bare):
    site = next(bare.rglob("optim_lib")).parent
    for package in PACKAGES:
        data = {
            file.relative_to(ROOT)
            for file in (ROOT / package).rglob("*")
            if file.is_file() and file.suffix not in (".pyc", ".py") and "ruff_cache" not in str(file)
        }
        assert {file for file in data if not (site / file).exists()} == set()
