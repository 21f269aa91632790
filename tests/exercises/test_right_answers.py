"""No right answer loses marks: every solution, written in other ways that are as right."""

import ast
import copy
import functools
import inspect

import numpy as np
import pytest

from exercises import all_exercises
from exercises.grading import grade

EXERCISES = all_exercises()
FUNCTIONS = [exercise for exercise in EXERCISES if exercise.kind == "function"]
CLASSES = [exercise for exercise in EXERCISES if exercise.kind == "class"]
VALUES = [exercise for exercise in EXERCISES if exercise.kind == "value"]
each = functools.partial(pytest.mark.parametrize, "exercise", ids=lambda exercise: exercise.id)


def assert_full_marks(exercise, answer, what):
    result = grade(exercise, answer)
    assert result.status == "right", f"{what}: {result!r}"


# The same code, spelled in another way


class _Equal(ast.NodeTransformer):
    """Sums and products the other way round, products for squares, powers for roots, and reciprocals for divisions."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        simple = not any(isinstance(n, ast.List | ast.Tuple | ast.JoinedStr) for n in ast.walk(node))
        if isinstance(node.op, ast.Mult) and simple:
            return ast.BinOp(node.right, node.op, node.left)
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) and node.right.value == 2:
            return ast.BinOp(node.left, ast.Mult(), copy.deepcopy(node.left))
        if isinstance(node.op, ast.Sub):
            return ast.BinOp(node.left, ast.Add(), ast.UnaryOp(ast.USub(), node.right))
        if isinstance(node.op, ast.Div):
            return ast.BinOp(node.left, ast.Mult(), ast.BinOp(ast.Constant(1.0), ast.Div(), node.right))
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if ast.unparse(node.func) == "np.sqrt" and len(node.args) == 1 and not node.keywords:
            return ast.BinOp(node.args[0], ast.Pow(), ast.Constant(0.5))
        return node


class _Renamed(ast.NodeTransformer):
    """Other names for what is local to a function."""

    def visit_FunctionDef(self, node):
        local = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        outside = {argument.arg for argument in ast.walk(node) if isinstance(argument, ast.arg)}
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in local - outside:
                each.id = f"my_{each.id}"
        return node


class _Typed(ast.NodeTransformer):
    """Type hints, and a docstring of the student's own."""

    def visit_FunctionDef(self, node):
        for argument in node.args.args:
            argument.annotation = argument.annotation or ast.Constant("anything")
        node.body.insert(0, ast.Expr(ast.Constant("What it does.")))
        return node


def rewritten(exercise, transformer):
    tree = ast.parse(exercise.solution)
    new = ast.unparse(ast.fix_missing_locations(transformer.visit(tree)))
    assert new != ast.unparse(ast.parse(exercise.solution)) or exercise.kind == "value"
    return exercise.load(new)


@each(argvalues=FUNCTIONS + CLASSES)
def test_equal_arithmetic_keeps_full_marks(exercise):
    tree = _Equal().visit(ast.parse(exercise.solution))
    assert_full_marks(exercise, exercise.load(ast.unparse(ast.fix_missing_locations(tree))), "equal arithmetic")


@each(argvalues=FUNCTIONS + CLASSES)
@pytest.mark.parametrize("transformer", [_Renamed, _Typed], ids=lambda cls: cls.__name__)
def test_other_names_and_hints_keep_full_marks(exercise, transformer):
    tree = transformer().visit(ast.parse(exercise.solution))
    assert_full_marks(exercise, exercise.load(ast.unparse(ast.fix_missing_locations(tree))), transformer.__name__)


# The same results, in other containers


def mapped(change, value):
    """`value` with `change` made to every part of it that is no container."""
    if isinstance(value, dict):
        return {key: mapped(change, item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(mapped(change, item) for item in value)
    return change(value)


def outer(container, value):
    return container(value) if isinstance(value, tuple | list) else value


def _as_list(value):
    return value.tolist() if isinstance(value, np.ndarray) else value


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _array(value):
    return np.asarray(value) if isinstance(value, float | int | np.number) and not isinstance(value, bool) else value


def _loud(value):
    return f" {value.upper()} " if isinstance(value, str) else value


def _single(value):
    return np.asarray(value, np.float32)[()] if isinstance(value, float | np.floating | np.ndarray) else value


SHAPES = {
    "a list in place of a tuple": functools.partial(outer, list),
    "a tuple in place of a list": functools.partial(outer, tuple),
    "a generator": functools.partial(outer, iter),
    "a list in place of an array": functools.partial(mapped, _as_list),
    "plain numbers": functools.partial(mapped, _plain),
    "arrays without axes": functools.partial(mapped, _array),
    "words in capitals": functools.partial(mapped, _loud),
}


def with_results(answer, change):
    """The function `answer`, as a helper of another whose results are changed."""

    @functools.wraps(answer)
    def other(*args, **kwargs):
        return change(answer(*args, **kwargs))

    return other


@each(argvalues=FUNCTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_results_in_other_containers_keep_full_marks(exercise, shape):
    if exercise.changes and "array" in shape:
        pytest.skip("what is changed in place is returned as it is")
    solution = exercise.load(exercise.solution)
    assert_full_marks(exercise, with_results(solution, SHAPES[shape]), shape)


@each(argvalues=FUNCTIONS)
def test_single_precision_is_accepted_or_told_truly(exercise):
    result = grade(exercise, with_results(exercise.load(exercise.solution), functools.partial(mapped, _single)))
    assert result.status == "right" or any(word in repr(result) for word in ("float32", "whole numbers", "new array"))


@each(argvalues=VALUES)
def test_values_are_read_whatever_their_spelling(exercise):
    solution = exercise.load(exercise.solution)
    assert_full_marks(exercise, mapped(_loud, solution), "capitals")
    assert_full_marks(exercise, {key.lower(): value for key, value in solution.items()}, "keys in lower case")
    assert_full_marks(exercise, dict(reversed(solution.items())), "another order")


# The same class, of another make


def as_dataclass(exercise):
    """The solution as a dataclass: the arguments of its constructor are fields, its body runs afterwards."""
    tree = ast.parse(exercise.solution)
    (cls,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == exercise.answer)
    (init,) = (node for node in cls.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    names, defaults = [argument.arg for argument in init.args.args[1:]], init.args.defaults
    assert len(names) == len(defaults)
    rest = [node for node in cls.body if node is not init]
    init.name, init.args = "__post_init__", ast.parse("lambda self: 0").body[0].value.args
    init.body = [_OfSelf(names).visit(statement) for statement in init.body]
    fields = [
        ast.parse(f"{name}: float = {ast.unparse(default)}").body[0]
        for name, default in zip(names, defaults, strict=True)
    ]
    cls.body = [*fields, init, *rest]
    cls.decorator_list = [ast.Name("dataclass", ast.Load())]
    return exercise.load("from dataclasses import dataclass\n" + ast.unparse(ast.fix_missing_locations(tree)))


class _OfSelf(ast.NodeTransformer):
    def __init__(self, names):
        self.names = names

    def visit_Name(self, node):
        if node.id in self.names and isinstance(node.ctx, ast.Load):
            return ast.Attribute(ast.Name("self", ast.Load()), node.id, ast.Load())
        return node


@each(argvalues=CLASSES)
def test_other_kinds_of_classes_keep_full_marks(exercise):
    solution = exercise.load(exercise.solution)
    members = {}
    inherited = type(exercise.answer, (solution,), members)
    assert_full_marks(exercise, inherited, "inherited")
    if "__init__" in vars(solution):
        assert_full_marks(exercise, as_dataclass(exercise), "a dataclass")

        class Careless(solution):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)

        Careless.__name__ = exercise.answer
        Careless.__init__.__signature__ = inspect.signature(solution.__init__)
        assert_full_marks(exercise, Careless, "arguments handed on")
