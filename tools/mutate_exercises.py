"""Mutation test of the graded exercises: every small change of a solution must lose marks.

    python -m tools.mutate_exercises                 every mutant of every exercise (minutes)
    python -m tools.mutate_exercises 8.2 8.3         of these
    python -m tools.mutate_exercises --sample 20     20 of each exercise, always the same
    python -m tools.mutate_exercises --diagnoses     what the mutants that lose marks are told, checked against them

A mutant that keeps full marks is a hole in a check, or it does the same as the solution. Those that do the same are
listed in ``tests/exercises/equivalent_mutants.yaml``, each with the reason; what survives of an open exercise, which
asks for a result and not for a rule, is another right answer. Anything else that survives is an error,
and so is an entry whose mutant does not survive.
"""

import argparse
import ast
import contextlib
import copy
import dataclasses
import functools
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from exercises import all_exercises, get
from exercises.definition import Exercise
from exercises.grading import grade, known_mistakes, run_check
from exercises.guard import same

EQUIVALENTS = Path(__file__).resolve().parent.parent / "tests" / "exercises" / "equivalent_mutants.yaml"

# Training runs: a sample of their mutants is enough.
SLOW = {"13.4": 40}


@dataclass(frozen=True)
class Mutant:
    """A changed solution.

    Attributes
    ----------
    kind : str
        What was changed: "operator", "constant", "default", ...
    change : str
        The lines that differ: ``"old -> new"``. It names the mutant in the list of equivalents.
    source : str
    """

    kind: str
    change: str
    source: str


# Making mutants ------------------------------------------------------------------------------------------------------

OPERATORS = {
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div, ast.Mult],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
}
COMPARISONS = {
    ast.Lt: [ast.LtE, ast.Gt, ast.GtE],
    ast.LtE: [ast.Lt, ast.GtE, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt, ast.LtE],
    ast.GtE: [ast.Gt, ast.LtE, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
FUNCTIONS = [
    {"max", "min"},
    {"argmax", "argmin"},
    {"maximum", "minimum"},
    {"mean", "sum", "median"},
    {"any", "all"},
    {"ceil", "floor", "round"},
    {"sin", "cos"},
    {"log", "log2", "exp"},
    {"zeros_like", "ones_like"},
    {"zeros", "ones"},
    {"cumsum", "sum"},
    {"std", "var"},
    {"sqrt", "square", "abs"},
    {"append", "extend"},
    {"nanmin", "min", "nanmax"},
    {"linspace", "geomspace"},
]
# Names that are no quantities: exchanging them with one makes no mistake that a student makes.
_FIXED = {"np", "self", "range", "len", "enumerate", "zip", "int", "float", "abs", "max", "min", "sum"}


def mutants(source: str) -> list[Mutant]:
    """Every mutant of `source`, in a fixed order, each text once."""
    tree = ast.parse(source)
    original = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    for kind, text in _changed(tree):
        if text != original and text not in found:
            found[text] = Mutant(kind, _difference(original, text), text)
    return list(found.values())


def _changed(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The text of the tree with one thing changed, for each thing."""
    for owner, field, index, node in list(_places(tree)):
        for kind, new in _alternatives(node, _around(tree, node), owner, field):
            _put(owner, field, index, new)
            with contextlib.suppress(ValueError, AttributeError, TypeError):
                yield kind, ast.unparse(ast.fix_missing_locations(tree))
            _put(owner, field, index, node)


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    for owner in ast.walk(tree):
        for field, value in ast.iter_fields(owner):
            if isinstance(value, ast.AST):
                yield owner, field, None, value
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield owner, field, index, item


def _put(owner: ast.AST, field: str, index: int | None, node: ast.AST | list) -> None:
    if index is None:
        setattr(owner, field, node)
    else:
        getattr(owner, field)[index] = node


def _around(tree: ast.Module, node: ast.AST) -> ast.AST:
    """The innermost function that holds `node`, or the module."""
    inside = [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and any(n is node for n in ast.walk(f))]
    return inside[-1] if inside else tree


def _alternatives(node: ast.AST, function: ast.AST, owner: ast.AST, field: str) -> Iterator[tuple[str, ast.AST]]:
    """What could stand in the place of `node`, each with the kind of the change."""
    default = isinstance(owner, ast.arguments) and field in ("defaults", "kw_defaults")
    if isinstance(node, ast.operator):
        yield from (("operator", new()) for new in OPERATORS.get(type(node), []))
    elif isinstance(node, ast.cmpop):
        yield from (("comparison", new()) for new in COMPARISONS.get(type(node), []))
    elif isinstance(node, ast.boolop):
        yield "condition", ast.Or() if isinstance(node, ast.And) else ast.And()
    elif isinstance(node, ast.Constant):
        yield from (("default" if default else "constant", ast.Constant(new)) for new in _constants(node.value))
    elif isinstance(node, ast.stmt):
        yield from _statements(node, owner)
    elif isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        yield from _expressions(node, function, owner, field)


def _constants(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from {value + 1, value - 1, -value, 2 * value, value / 2} if value else {1, -1}


def _statements(node: ast.stmt, owner: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    documentation = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if documentation or isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Pass):
        return
    yield "dropped statement", ast.Pass()
    if isinstance(node, ast.AugAssign):
        read = copy.deepcopy(node.target)
        read.ctx = ast.Load()
        yield "in place", ast.Assign([node.target], ast.BinOp(read, node.op, node.value))
        yield "operator", ast.Assign([node.target], node.value)
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        target, left = node.targets[0], node.value.left
        if ast.unparse(target) == ast.unparse(left):
            yield "in place", ast.AugAssign(target, node.value.op, node.value.right)
    if isinstance(node, ast.For | ast.While):
        yield "early stop", _with_body(node, [*node.body, ast.Break()])
        yield "early stop", _with_body(node, [ast.Break(), *node.body])
    if isinstance(node, ast.If):
        yield "condition", _with_test(node, ast.UnaryOp(ast.Not(), node.test))
        yield "condition", _with_test(node, ast.Constant(True))
        yield "condition", _with_test(node, ast.Constant(False))
    if isinstance(node, ast.Return) and node.value is not None and isinstance(owner, ast.FunctionDef):
        loops = [n for n in ast.walk(owner) if isinstance(n, ast.For)]
        if loops:
            yield "early stop", ast.Return(ast.Subscript(node.value, ast.Constant(0), ast.Load()))


def _with_body(node: ast.For | ast.While, body: list[ast.stmt]) -> ast.stmt:
    new = copy.copy(node)
    new.body = body
    return new


def _with_test(node: ast.If, test: ast.expr) -> ast.stmt:
    new = copy.copy(node)
    new.test = test
    return new


def _expressions(node: ast.expr, function: ast.AST, owner: ast.AST, field: str) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.BinOp):
        yield "operand", node.left
        yield "operand", node.right
        if not isinstance(node.op, ast.Add | ast.Mult):
            yield "operand", ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.UnaryOp):
        yield "sign", node.operand
    elif isinstance(node, ast.IfExp):
        yield "condition", ast.IfExp(node.test, node.orelse, node.body)
        yield "condition", node.body
        yield "condition", node.orelse
    elif isinstance(node, ast.BoolOp):
        yield from (("condition", value) for value in node.values)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Name) and node.id not in _FIXED and field != "func":
        yield from (("name", ast.Name(name, ast.Load())) for name in _names(function) if name != node.id)
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        yield from (
            ("name", ast.Attribute(node.value, name, ast.Load()))
            for name in _own_attributes(function)
            if name != node.attr
        )
    elif isinstance(node, ast.Tuple) and len(node.elts) > 1:
        yield "order", ast.Tuple([*node.elts[1:], node.elts[0]], ast.Load())
    elif isinstance(node, ast.Slice):
        yield from _slices(node)
    if isinstance(owner, ast.Assign | ast.AugAssign | ast.Return) and field == "value":
        yield "sign", ast.UnaryOp(ast.USub(), node)
        if not isinstance(node, ast.Tuple | ast.List | ast.Dict | ast.Constant):
            yield "float32", ast.parse(f"np.float32({ast.unparse(node)})", mode="eval").body


def _calls(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield "call", node.args[0]
    if isinstance(node.func, ast.Attribute) and not node.args:
        yield "call", node.func.value
    if len(node.args) >= 2:
        yield "order", ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for group in FUNCTIONS:
        for other in sorted(group - {name}) if name in group else []:
            new = (
                ast.Attribute(node.func.value, other, ast.Load())
                if isinstance(node.func, ast.Attribute)
                else ast.Name(other, ast.Load())
            )
            yield "call", ast.Call(new, node.args, node.keywords)
    for keyword in node.keywords:
        rest = [other for other in node.keywords if other is not keyword]
        yield "keyword", ast.Call(node.func, node.args, rest)
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant):
            for axis in {0, 1, -1} - {keyword.value.value}:
                yield "axis", ast.Call(node.func, node.args, [*rest, ast.keyword("axis", ast.Constant(axis))])
    if name == "range":
        for index, argument in enumerate(node.args):
            for change in (ast.Add(), ast.Sub()):
                moved = [*node.args]
                moved[index] = ast.BinOp(argument, change, ast.Constant(1))
                yield "bound", ast.Call(node.func, moved, node.keywords)


def _slices(node: ast.Slice) -> Iterator[tuple[str, ast.expr]]:
    for field in ("lower", "upper"):
        bound = getattr(node, field)
        for change in (ast.Add(), ast.Sub()):
            new = copy.copy(node)
            if bound is not None:
                setattr(new, field, ast.BinOp(bound, change, ast.Constant(1)))
                yield "bound", new
        new = copy.copy(node)
        setattr(new, field, None if bound is not None else ast.Constant(1 if field == "lower" else -1))
        yield "bound", new


def _names(function: ast.AST) -> list[str]:
    """The quantities of a function: its arguments and what it assigns."""
    arguments = [each.arg for each in ast.walk(function) if isinstance(each, ast.arg)]
    assigned = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return [name for name in dict.fromkeys([*arguments, *assigned]) if name not in _FIXED]


def _own_attributes(function: ast.AST) -> list[str]:
    attributes = [
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    ]
    return list(dict.fromkeys(attributes))


def _difference(one: str, other: str) -> str:
    """The lines that differ, ``"old -> new"``."""
    old, new = one.splitlines(), other.splitlines()
    before = ""
    while old and new and old[0] == new[0]:
        before, old, new = old[0], old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    if not old:  # something was put in: say after what
        old, new = [before], [before, *new]
    return f"{_flat(old)} -> {_flat(new)}"


def _flat(lines: list[str]) -> str:
    return "; ".join(line.strip() for line in lines)


# Grading them --------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What became of the mutants of one exercise."""

    id: str
    kinds: Counter
    lost: int = 0
    float32: int = 0
    listed: int = 0
    survivors: list[Mutant] = dataclasses.field(default_factory=list)
    stale: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    @property
    def count(self) -> int:
        return self.kinds.total()


def keeps_full_marks(exercise: Exercise, source: str) -> bool:
    """Whether every check passes; the checks after the first that does not are not run."""
    try:
        with _quiet():
            answer = exercise.load(source)
    except Exception:
        return False
    return all(run_check(exercise, index, answer).state == "right" for index in range(len(exercise.checks)))


def in_a_hurry(exercise: Exercise) -> Exercise:
    """The same exercise with a time limit just above what its solution takes."""
    answer = exercise.load(exercise.solution)
    if exercise.prepare:
        exercise.prepare()
    for _ in range(2):  # the first time the checks work out what they expect
        began = time.thread_time()
        for index in range(len(exercise.checks)):
            run_check(exercise, index, answer)
    return dataclasses.replace(exercise, time_limit=0.2 + 5 * (time.thread_time() - began))


def sample(exercise: Exercise, size: int | None) -> list[Mutant]:
    """`size` of the mutants of an exercise, always the same ones and of many kinds; all of them without a size."""
    found = mutants(exercise.solution)
    if size is None or size >= len(found):
        return found
    by_kind: dict[str, list[Mutant]] = {}
    for mutant in sorted(found, key=lambda each: hashlib.sha256(each.source.encode()).digest()):
        by_kind.setdefault(mutant.kind, []).append(mutant)
    turns = [mutant for rank in range(len(found)) for group in by_kind.values() for mutant in group[rank : rank + 1]]
    return turns[:size]


def tally(id: str, size: int | None = None) -> Tally:
    """Grade the mutants of one exercise."""
    exercise, began = in_a_hurry(get(id)), time.perf_counter()
    chosen = sample(exercise, size if size is not None else SLOW.get(id))
    result = Tally(id, Counter(mutant.kind for mutant in chosen))
    own = equivalents().get(id, {})
    equivalent, is_open = equivalents()["all"] | own, id in equivalents()["open"]
    for mutant in chosen:
        survives = keeps_full_marks(exercise, mutant.source)
        if not survives:
            result.lost += 1
            if mutant.change in own:
                result.stale.append(mutant.change)
        elif mutant.kind == "float32":
            result.float32 += 1
        elif mutant.change in equivalent or is_open:
            result.listed += 1
        else:
            result.survivors.append(mutant)
    if len(chosen) == len(mutants(exercise.solution)):
        result.stale += [change for change in own if change not in {mutant.change for mutant in chosen}]
    result.seconds = time.perf_counter() - began
    return result


@functools.cache
def equivalents() -> dict[str, dict[str, str]]:
    """For each exercise, and for "all", the changes that make no difference, and the open exercises; with reasons."""
    listed = yaml.safe_load(EQUIVALENTS.read_text(encoding="utf-8"))
    return {"open": {str(id): why for id, why in listed.pop("open").items()}} | {
        str(id): {change: group["why"] for group in groups for change in group["mutants"]}
        for id, groups in listed.items()
    }


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# What they are told --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """A known mistake that a mutant was told it makes, and whether the two agree on inputs that no check has used."""

    id: str
    mutant: Mutant
    sentence: str
    agrees: bool


def diagnoses(id: str, size: int | None = None) -> tuple[int, list[Told]]:
    """How many mutants of one exercise lose marks, and what each of them is told by name."""
    exercise = in_a_hurry(get(id))
    lost, told = 0, []
    for mutant in sample(exercise, size if size is not None else SLOW.get(id)):
        try:
            with _quiet():
                answer = exercise.load(mutant.source)
        except Exception:
            continue
        result = grade(exercise, answer)
        if result.points == exercise.points:
            continue
        lost += 1
        for sentence in result.mistakes:
            told.append(Told(id, mutant, sentence, agree_on_fresh_inputs(exercise, answer, sentence)))
    return lost, told


def agree_on_fresh_inputs(exercise: Exercise, answer: Any, sentence: str) -> bool:
    """Whether `answer` gives what the known wrong answer of `sentence` gives, with other seeds and other numbers.

    In every check that the sentence was said of: all that fail when it is about the whole, one of them otherwise.
    """
    (known,) = [known for known in known_mistakes(exercise) if known.sentence == sentence]
    other = exercise.load(known.answer.source)
    agreed = []
    for index in range(len(exercise.checks)):
        if run_check(exercise, index, answer).state == "right":
            continue
        pairs = []
        for shift in (1000, 2000):
            with _other_seeds(shift):
                pairs.append([run_check(exercise, index, each, shaken=True).events for each in (answer, other)])
        agreed.append(all(same(one, two, 1e-9) for one, two in pairs))
    return any(agreed)


@contextlib.contextmanager
def _other_seeds(shift: int) -> Iterator[None]:
    """`np.random.default_rng` of other seeds than asked for."""
    original = np.random.default_rng
    np.random.default_rng = lambda seed=None: original(seed + shift if isinstance(seed, int) else seed)
    try:
        yield
    finally:
        np.random.default_rng = original


# The command ---------------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Run and report; return the number of exercises with something to mend."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutate_exercises", description=__doc__.split("\n")[0])
    parser.add_argument("ids", nargs="*", metavar="ID", help="such as 8.2, or 8 for a chapter; all when left out")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants of each exercise, always the same")
    parser.add_argument("--diagnoses", action="store_true", help="what those that lose marks are told")
    parser.add_argument("--jobs", type=int, default=2, help="processes, 2 unless told")
    options = parser.parse_args(arguments)
    ids = [e.id for e in all_exercises() if not options.ids or {e.id, str(e.chapter)} & set(options.ids)]
    return _report_diagnoses(ids, options) if options.diagnoses else _report_survivors(ids, options)


def _in_parallel(function: Any, ids: list[str], options: argparse.Namespace) -> Iterator[Any]:
    from joblib import Parallel, delayed

    run = Parallel(n_jobs=min(options.jobs, len(ids)), return_as="generator", batch_size=1)
    yield from run(delayed(function)(id, options.sample) for id in ids)


def _report_survivors(ids: list[str], options: argparse.Namespace) -> int:
    chapters: dict[str, list[Tally]] = {}
    for result in _in_parallel(tally, ids, options):
        chapters.setdefault(result.id.split(".")[0], []).append(result)
        print(
            f"{result.id:>5}  {result.count:4} mutants, {result.lost:4} lose marks, {result.listed:3} equivalent, "
            f"{result.float32:2} in single precision, {len(result.survivors):3} survive  ({result.seconds:.1f} s)"
        )
        for mutant in result.survivors:
            print(f"         {mutant.kind}: {mutant.change}")
        for change in result.stale:
            print(f"         listed as equivalent, but gone or losing marks: {change}")
        sys.stdout.flush()
    print("\n| chapter | mutants | lose marks | equivalent, listed | single precision | holes |")
    print("|---" * 6 + "|")
    for chapter, results in chapters.items():
        print(f"| {chapter} {_row(results)}")
    every = [result for results in chapters.values() for result in results]
    print(f"| all {_row(every)}")
    return sum(bool(result.survivors or result.stale) for result in every)


def _row(results: list[Tally]) -> str:
    columns = [
        sum(result.count for result in results),
        sum(result.lost for result in results),
        sum(result.listed for result in results),
        sum(result.float32 for result in results),
        sum(len(result.survivors) for result in results),
    ]
    return "".join(f"| {column} " for column in columns) + "|"


def _report_diagnoses(ids: list[str], options: argparse.Namespace) -> int:
    false, lost, named = [], 0, 0
    for id, (count, told) in zip(ids, _in_parallel(diagnoses, ids, options), strict=True):
        lost, named = lost + count, named + len({each.mutant.change for each in told})
        print(f"{id:>5}  {count:4} lose marks, {len({each.mutant.change for each in told}):4} get a named mistake")
        for each in told:
            if not each.agrees:
                false.append(each)
                print(f"         NOT SO  {each.mutant.change}\n                 {each.sentence}")
        sys.stdout.flush()
    print(f"\n{lost} mutants lose marks, {named} are told a known mistake, {len(false)} of these sentences are not so")
    return len(false)


if __name__ == "__main__":
    from tools import mutate_exercises  # under its own name, for the processes that share the work

    sys.exit(min(mutate_exercises.main(), 1))
