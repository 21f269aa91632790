"""The layers: each part imports only what stands below it, and the lowest ones need NumPy alone."""

import ast
import importlib
import inspect
import os
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import optim_lib
from optim_lib import data

ROOT = Path(__file__).parents[1]

# From top to bottom; parts on one line do not import one another. A module belongs to the longest name that fits it.
LAYERS = [
    ("experiments.claims.__main__",),
    ("experiments.claims.experiments",),
    tuple(f"experiments.claims.ch{n:02d}" for n in range(1, 13)),
    ("experiments.claims.registry",),
    ("experiments", "exercises"),
    ("experiments.claims",),
    ("optim_lib",),
    ("optim_lib.family",),
    ("optim_lib.tasks",),
    ("optim_lib.training",),
    ("optim_lib.plotting", "optim_lib.explorer.widgets"),
    ("optim_lib.explorer",),
    ("optim_lib.tables", "optim_lib.probes", "optim_lib.variants", "optim_lib.measure"),
    ("optim_lib.pages", "optim_lib.descent", "optim_lib.networks", "optim_lib.data"),
    ("optim_lib.landscapes", "optim_lib.schedules", "optim_lib.optimizers"),
    ("optim_lib.palette", "optim_lib.progress", "optim_lib.threads", "optim_lib.on_demand", "optim_lib.libraries"),
    ("optim_lib.extras", "optim_lib.checks", "optim_lib.workers"),
]
LEVEL = {name: (level, name) for level, names in enumerate(LAYERS) for name in names}
LEVEL |= {name: (level, "the claims of a chapter") for level, names in enumerate(LAYERS[:3]) for name in names}
PACKAGES = ("optim_lib", "exercises", "experiments")


FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


@cache
def imports_of(module):
    """Every module of the course that a module imports when it runs, wherever the import stands."""
    found, typing_only = set(), set()
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            typing_only.update(map(id, ast.walk(node)))
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in FILES else node.module for name in names]
        else:
            continue
        found.update(name for name in names if name.partition(".")[0] in PACKAGES and name != module)
    return found


def place_of(module):
    return LEVEL[max((name for name in LEVEL if f"{module}.".startswith(f"{name}.")), key=len)]


def test_every_part_imports_only_what_stands_below_it():
    upward = []
    for module in FILES:
        level, part = place_of(module)
        for imported in imports_of(module):
            other, its_part = place_of(imported)
            if other < level or (other == level and its_part != part):
                upward.append(f"{module} imports {imported}")
    assert not upward


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: imports_of(module) for module in FILES}
    done, cycles = set(), []

    def walk(module, way):
        if module in way:
            cycles.append(" -> ".join([*way[way.index(module) :], module]))
        elif module not in done:
            for imported in sorted(graph.get(module, ())):
                walk(imported, [*way, module])
            done.add(module)

    for module in graph:
        walk(module, [])
    assert not cycles


# ------------------------------------------------------------------------------- with NumPy and Python alone

NUMPY_ALONE = """
import importlib, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        allowed = top in ("numpy", "optim_lib", "exercises") or top.startswith("_sysconfigdata")
        if not allowed and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""


def with_numpy_alone(code, **environment):
    """Run code in an interpreter where nothing but NumPy and Python's own library can be imported."""
    hidden = {"OPTIM_LIB_DATA": "", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", NUMPY_ALONE + textwrap.dedent(code)],
        capture_output=True, text=True, env=os.environ | hidden | environment, cwd=ROOT, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


def test_every_solution_gets_full_marks_with_numpy_alone():
    code = """
        from exercises import all_exercises
        from exercises.grading import grade
        for exercise in all_exercises():
            exercise.__dict__["time_limit"] = 1000.0  # a busy machine is not what is tested
            if grade(exercise, exercise.load(exercise.solution)).points < exercise.points:
                print(exercise.id)
    """
    assert with_numpy_alone(code) == ["12.4", "12.5", "13.4"]  # these read data that come with scikit-learn


def test_the_core_and_the_exercises_can_be_imported_with_numpy_alone():
    core = [name for layer in LAYERS[-6:] for name in layer] + ["optim_lib.training", "optim_lib.tasks"]
    exercises = [name for name in FILES if name.startswith("exercises") and not name.endswith("__main__")]
    known = [name for name in FILES if any(f"{name}.".startswith(f"{part}.") for part in core)]
    known = [name for name in known if name not in ("optim_lib.tasks.models", "optim_lib.explorer.widgets")]
    code = f"for name in {known + exercises}: importlib.import_module(name)"
    assert with_numpy_alone(code) == []


def test_where_scikit_learn_is_missing_files_stand_in_for_its_data(tmp_path):
    data.write_files(tmp_path, ["digits"])
    code = """
        from exercises import get
        from exercises.grading import grade
        print(grade(get("12.5"), get("12.5").load(get("12.5").solution)).status)
        from optim_lib.data import diabetes, digits
        print(digits().train.x.sum())
        try:
            diabetes()
        except ModuleNotFoundError as error:
            print(error)
    """
    status, total, error = with_numpy_alone(code, OPTIM_LIB_DATA=str(tmp_path))
    assert status == "right"
    assert float(total) == data.digits().train.x.sum()
    assert error.startswith("the diabetes data come with scikit-learn")
    assert 'pip install "understanding-optimizers[train]", or let OPTIM_LIB_DATA' in error


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "diabetes", "sparse_words"])
def test_data_from_a_file_are_the_same(name, tmp_path, monkeypatch):
    make = getattr(data, name)
    expected = make()
    data.write_files(tmp_path, [name])
    monkeypatch.setenv("OPTIM_LIB_DATA", str(tmp_path))
    found = make()
    assert found.features == expected.features
    for part in ("train", "validation", "test"):
        for ours, theirs in zip(getattr(found, part), getattr(expected, part), strict=True):
            np.testing.assert_array_equal(ours, theirs, strict=True)


def test_another_dataset_under_the_name_of_one_is_refused(tmp_path, monkeypatch):
    np.savez(tmp_path / "digits.npz", x=np.zeros((60000, 784)), y=np.zeros(60000, int), features=np.array([]))
    monkeypatch.setenv("OPTIM_LIB_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"digits.npz must hold x of shape \(1797, 64\), got \(60000, 784\)"):
        data.digits()
    with pytest.raises(ValueError, match="names must be among digits"):
        data.write_files(tmp_path, ["mnist"])


def test_a_check_imports_the_exercises_of_its_chapter_alone(tmp_path):
    code = """
        from exercises import check, get
        check("8.2", get("8.2").load(get("8.2").starter))
        print(*sorted(name for name in sys.modules if name.startswith("exercises.ch")))
    """
    assert with_numpy_alone(code, OPTIM_COURSE_PROGRESS=str(tmp_path / "progress.json")) == ["exercises.ch08_adam"]


# ------------------------------------------------------------------------------- names on demand


def test_what_is_reached_for_most_is_at_the_top():
    code = """
        import optim_lib
        assert "numpy" not in sys.modules
        print(optim_lib.Adam.__module__, optim_lib.landscapes.bowl.name, optim_lib.train.__module__)
        from optim_lib import Adam, descend, step_decay
        try:
            optim_lib.Adma
        except AttributeError as error:
            print(error)
    """
    assert with_numpy_alone(code) == [
        "optim_lib.optimizers.adam a bowl optim_lib.training.runs",
        "module 'optim_lib' has no attribute 'Adma'",
    ]


@pytest.mark.parametrize("package", ["optim_lib", "optim_lib.training", "optim_lib.plotting"])
def test_names_on_demand_are_those_that_editors_see(package):
    module = importlib.import_module(package)
    tree = ast.parse(inspect.getsource(module))
    seen = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for statement in node.body:
                for alias in statement.names:
                    home = importlib.import_module(statement.module)
                    names = home.__all__ if alias.name == "*" else [alias.name]
                    seen |= {name: getattr(home, name) for name in names}
    for name, value in seen.items():
        assert getattr(module, name) is value
    assert set(getattr(module, "__all__", ())) <= {*seen, "table"}
    assert seen.keys() <= set(dir(module))
    assert package != "optim_lib" or {"Adam", "explore", "sweep", "MLP", "Landscape"} <= seen.keys()
    assert all(hasattr(optim_lib, name) for name in dir(optim_lib))
