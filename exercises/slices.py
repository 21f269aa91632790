"""Which cells of a notebook a cell needs: those above it that define the names which it uses, and theirs.

The page runs these before a cell that a reader has edited, and no others. It is read off the code, not run: a name is
what an assignment, a definition, an import, a loop or a ``with`` binds. Standard library only.

>>> above = [Cell("a", "import numpy as np\\nx = np.ones(3)"), Cell("b", "y = 1"), Cell("c", "z = x + 1")]
>>> [part.id for part in needed("print(z)", parts_of(above))]
['a/0', 'a', 'c']
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda | COMPREHENSIONS


@dataclass(frozen=True)
class Cell:
    """The code of a cell, or one import of it; `id` names it in messages."""

    id: str
    source: str


@dataclass(frozen=True)
class Names:
    """The names that a code uses without having bound them, and those that it binds."""

    free: frozenset[str]
    bound: frozenset[str]


def parts_of(cells: Iterable[Cell]) -> list[Cell]:
    """The cells in order, their imports one by one: one that the page lacks is not in the way of the others."""
    return [part for cell in cells for part in _parts(cell)]


def needed(source: str, above: Sequence[Cell]) -> list[Cell]:
    """What has to run before `source`, in order: of the parts above, those that define what it uses, and theirs."""
    wanted, chosen = set(names_of(source).free), []
    for part in reversed(above):
        names = names_of(part.source)
        if names.bound & wanted:
            chosen.append(part)
            wanted = (wanted - names.bound) | names.free
    return chosen[::-1]


@lru_cache(maxsize=512)
def names_of(source: str) -> Names:
    """The free and the bound names of a cell; of one that cannot be read, none."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return Names(frozenset(), frozenset())
    free, bound = _in_order(tree.body)
    return Names(frozenset(free), frozenset(bound))


@lru_cache(maxsize=512)
def _parts(cell: Cell) -> tuple[Cell, ...]:
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:
        return ()
    imports, rest = [], []
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            imports += [_only(statement, alias) for alias in statement.names]
        else:
            rest.append(statement)
    parts = [Cell(f"{cell.id}/{k}", source) for k, source in enumerate(imports)]
    # With its own lines, so that an error names the line that the reader sees.
    lines = cell.source.splitlines()
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            lines[statement.lineno - 1 : statement.end_lineno] = [""] * (statement.end_lineno - statement.lineno + 1)
    return (*parts, Cell(cell.id, "\n".join(lines))) if rest else tuple(parts)


def _only(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    """An import statement with one of its names."""
    one = ast.Import([alias]) if isinstance(statement, ast.Import) else _from(statement, alias)
    return ast.unparse(one)


def _from(statement: ast.ImportFrom, alias: ast.alias) -> ast.ImportFrom:
    return ast.ImportFrom(statement.module, [alias], statement.level)


def _in_order(statements: Iterable[ast.stmt]) -> tuple[set[str], set[str]]:
    free: set[str] = set()
    bound: set[str] = set()
    for used, defined in (pair for statement in statements for pair in _steps(statement)):
        free |= used - bound
        bound |= defined
    return free, bound


def _steps(statement: ast.stmt) -> Iterator[tuple[set[str], set[str]]]:
    """What a statement uses and then binds, in the order in which it does."""
    blocks = [getattr(statement, field, []) for field in ("body", "orelse", "finalbody")]
    blocks += [handler.body for handler in getattr(statement, "handlers", [])]
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or not any(blocks):
        yield _names(ast.unparse(statement))
        return
    # Of a loop, a condition or a ``with``: its head, then what stands in it.
    for field in ("test", "iter", "subject"):
        if (head := getattr(statement, field, None)) is not None:
            yield _names(ast.unparse(head))
    for item in getattr(statement, "items", []):
        yield _names(ast.unparse(item.context_expr))
        if item.optional_vars is not None:
            yield set(), _stored(item.optional_vars)
    if (target := getattr(statement, "target", None)) is not None:
        yield _names(ast.unparse(target))[0] - _stored(target), _stored(target)
    for handler in getattr(statement, "handlers", []):
        if handler.type is not None:
            yield _names(ast.unparse(handler.type))[0], {handler.name} if handler.name else set()
    for block in blocks:
        for inner in block:
            yield from _steps(inner)


def _stored(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _names(code: str) -> tuple[set[str], set[str]]:
    """What a simple statement uses of the module's names, and what it binds of them."""
    tree = ast.parse(code)
    used = _used(tree, frozenset())
    # ``x += 1`` uses x, and ``x[0] = 1`` changes it: whoever uses x later needs this as well.
    used |= {s.target.id for s in tree.body if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name)}
    return used - _own(tree), _bound(tree) | (_changed(tree) & used)


def _used(node: ast.AST, local: frozenset[str]) -> set[str]:
    """The names that a piece of code reads, without those that are `local` around it or within it."""
    if isinstance(node, ast.Name):
        return {node.id} - local if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, SCOPES):
        local |= _bound_within(node)
    return set().union(*(_used(child, local) for child in ast.iter_child_nodes(node)))


def _bound(node: ast.AST) -> set[str]:
    """The names that a piece of code binds, but for those of scopes within it."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, SCOPES):
        return set()
    own = {(node.asname or node.name).split(".")[0]} if isinstance(node, ast.alias) else set()
    if isinstance(node, ast.ExceptHandler) and node.name:
        own = {node.name}
    return own.union(*(_bound(child) for child in ast.iter_child_nodes(node)))


def _bound_within(scope: ast.AST) -> set[str]:
    """The names of a function, a class, a lambda or a comprehension: its parameters, and what it binds."""
    arguments = getattr(scope, "args", None)
    names = {one.arg for one in ast.walk(arguments) if isinstance(one, ast.arg)} if arguments else set()
    return names.union(*(_bound(child) for child in ast.iter_child_nodes(scope)))


def _own(tree: ast.Module) -> set[str]:
    """A function's or a class's own name, which its body may use."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {statement.name for statement in tree.body if isinstance(statement, kinds)}


def _changed(tree: ast.Module) -> set[str]:
    """Names of which an entry or an attribute is set."""
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            root: ast.expr = node
            while isinstance(root, ast.Subscript | ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name):
                roots.add(root.id)
    return roots
