"""Find the answers in a notebook, and for each the statements that it needs: no figure has to be drawn to grade one.

An answer is found by its check, ``check("8.2", adam_step)``, else by its cell's tag, else by the name that it defines,
wherever that stands. Of the notebook's statements those are picked which define a name that the answer uses, or
change such a thing, and so on, in their order.
"""

import ast
import builtins
import dis
import re
import types
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from exercises.classroom.reading import Cell

_TAG = re.compile(r"ex-(\d+\.\d+)")
_HEADING = re.compile(r"Exercise (\d+\.\d+)\b")
_KNOWN = frozenset(dir(builtins)) | {"display", "get_ipython", "__name__", "__file__", "__doc__"}


@dataclass(frozen=True)
class Wanted:
    """What is looked for: an exercise's number, the name of its answer, and its starter."""

    id: str
    answer: str
    starter: str


@dataclass
class Piece:
    """Statements of one cell: their places in it, and the lines that each of them fills."""

    cell: int
    source: str
    picks: list[int]
    lines: list[tuple[int, int]] = field(default_factory=list)

    @property
    def text(self) -> tuple[tuple[int, int, str], ...]:
        """What of the cell can matter: two pieces with the same text do the same, and say the same of their lines."""
        lines = self.source.splitlines()
        return tuple(
            (pick if ";" in (text := "\n".join(lines[first - 1 : last])) else -1, first, text)
            for pick, (first, last) in zip(self.picks, self.lines, strict=True)
        )


@dataclass
class Candidate:
    """One place where an answer may be: the expression to evaluate after running the pieces."""

    how: str
    cell: int
    expression: str
    pieces: list[Piece] = field(default_factory=list)
    definition: str = ""
    untouched: bool = False
    problem: str = ""


@dataclass
class Found:
    """The candidates for one exercise, the likeliest first."""

    id: str
    candidates: list[Candidate]


@dataclass
class _Statement:
    cell: int
    place: int
    node: ast.stmt
    binds: set[str]
    changes: set[str]
    uses: set[str]
    later: set[str]
    certain: bool
    anything: bool

    @property
    def touches(self) -> set[str]:
        return self.binds | self.changes


def plan(cells: Sequence[Cell], wanted: Iterable[Wanted]) -> list[Found]:
    """The candidates for each exercise of the chapters that the notebook is about."""
    wanted = list(wanted)
    sources: dict[int, str] = {}
    statements: list[_Statement] = []
    broken: dict[int, str] = {}
    for cell in cells:
        if cell.kind != "code":
            continue
        sources[cell.number] = source = _python(cell.source)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = ast.parse(source).body
                statements += [_statement(node, cell.number, place) for place, node in enumerate(body)]
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            broken[cell.number] = _syntax_error(error, source)
    checks = _checks(statements)
    tags = {
        match[1]: cell.number
        for cell in cells
        for tag in cell.tags
        if (match := _TAG.fullmatch(tag)) and cell.kind == "code"
    }
    headed = {id for cell in cells if cell.kind == "markdown" for id in _HEADING.findall(cell.source)}
    chapters = _chapters(wanted, statements, {*checks, *tags, *headed})
    search = _Search(statements, sources, broken, checks, tags)
    return [Found(each.id, search.candidates(each)) for each in wanted if each.id.split(".")[0] in chapters]


def as_data(found: list[Found]) -> list[dict[str, Any]]:
    """The plan as plain data."""
    return [asdict(each) for each in found]


def from_data(data: Any) -> list[Found]:
    """The plan back from plain data.

    Raises
    ------
    TypeError, KeyError, ValueError
        When it is not one.
    """
    return [
        Found(
            str(each["id"]),
            [
                Candidate(
                    how=str(one["how"]),
                    cell=int(one["cell"]),
                    expression=str(one["expression"]),
                    pieces=[
                        Piece(
                            int(piece["cell"]),
                            str(piece["source"]),
                            [int(pick) for pick in piece["picks"]],
                            [(int(first), int(last)) for first, last in piece["lines"]],
                        )
                        for piece in one["pieces"]
                    ],
                    definition=str(one["definition"]),
                    untouched=bool(one["untouched"]),
                    problem=str(one["problem"]),
                )
                for one in each["candidates"]
            ],
        )
        for each in data
    ]


class _Search:
    def __init__(self, statements, sources, broken, checks, tags) -> None:
        self.statements: list[_Statement] = statements
        self.sources: dict[int, str] = sources
        self.broken: dict[int, str] = broken
        self.checks: dict[str, list[tuple[int, str]]] = checks
        self.tags: dict[str, int] = tags

    def candidates(self, wanted: Wanted) -> list[Candidate]:
        places: list[tuple[str, str, int]] = []
        for at, expression in reversed(self.checks.get(wanted.id, [])):
            places.append(("check", expression, at))
        cell = self.tags.get(wanted.id)
        if cell is not None and (inside := self._bound_in(wanted.answer, cell)) is not None:
            places.append(("tag", wanted.answer, inside + 1))
        binding = [at for at, statement in enumerate(self.statements) if wanted.answer in statement.binds]
        for at in reversed(binding):
            places.append(("name", wanted.answer, at + 1))
        found: list[Candidate] = []
        for how, expression, at in places:
            candidate = self._candidate(wanted, how, expression, at)
            if candidate and candidate.pieces and all(candidate.pieces != other.pieces for other in found):
                found.append(candidate)
        found.sort(key=lambda candidate: candidate.untouched)
        problem = self._broken_answer(wanted, cell)
        if problem and all(candidate.untouched for candidate in found):
            found.insert(0, problem)
        return found[:4]

    def _bound_in(self, name: str, cell: int) -> int | None:
        places = [at for at, each in enumerate(self.statements) if each.cell == cell and name in each.binds]
        return places[-1] if places else None

    def _candidate(self, wanted: Wanted, how: str, expression: str, at: int) -> Candidate | None:
        try:
            names = _loads(ast.parse(expression, mode="eval"))
        except (SyntaxError, ValueError, RecursionError):
            return None
        picked = self._needed(names, at)
        if not picked and not names <= _KNOWN:
            return None
        main = [index for index in picked if names & self.statements[index].binds]
        definition = "\n".join(ast.unparse(self.statements[index].node) for index in main)
        pieces: list[Piece] = []
        for index in sorted(picked):
            statement = self.statements[index]
            if not pieces or pieces[-1].cell != statement.cell:
                pieces.append(Piece(statement.cell, self.sources[statement.cell], []))
            pieces[-1].picks.append(statement.place)
            pieces[-1].lines.append(_lines_of(statement.node))
        cell = self.statements[main[-1]].cell if main else 0
        untouched = bool(main) and _normal(definition) == _normal(wanted.starter)
        return Candidate(how, cell, expression, pieces or [Piece(0, "", [])], definition, untouched)

    def _needed(self, names: set[str], at: int) -> set[int]:
        """The statements that have to run for `names` to mean at place `at` what they mean in the notebook."""
        picked: set[int] = set()
        asked: set[tuple[str, int]] = set()
        queue = [(name, at) for name in names]
        while queue:
            name, before = queue.pop()
            if (name, before) in asked:
                continue
            asked.add((name, before))
            for index in self._defining(name, before) - picked:
                picked.add(index)
                statement = self.statements[index]
                queue += [(used, index) for used in statement.uses]
                queue += [(used, max(at, index + 1)) for used in statement.later]
        return picked

    def _defining(self, name: str, before: int) -> set[int]:
        found: set[int] = set()
        for index in range(before - 1, -1, -1):
            statement = self.statements[index]
            if name in statement.touches:
                found.add(index)
                if name in statement.binds and statement.certain:
                    return found
        if any(name in self.statements[index].binds for index in found):
            return found
        for index in range(len(self.statements) - 1, before - 1, -1):
            if name in self.statements[index].binds:
                return found | {index}
        if name not in _KNOWN:
            found |= {index for index in range(min(before, len(self.statements))) if self.statements[index].anything}
        return found

    def _broken_answer(self, wanted: Wanted, tagged: int | None) -> Candidate | None:
        """A cell that is not Python and holds the answer, as far as one can see."""
        for cell, problem in self.broken.items():
            pattern = rf"^\s*(?:def|class)\s+{wanted.answer}\b|^{wanted.answer}\s*=|check\(\s*['\"]{wanted.id}['\"]"
            if cell == tagged or re.search(pattern, self.sources[cell], re.MULTILINE):
                return Candidate("tag" if cell == tagged else "name", cell, wanted.answer, problem=problem)
        return None


def _lines_of(node: ast.stmt) -> tuple[int, int]:
    first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
    return first, node.end_lineno or first


def _python(source: str) -> str:
    """The source without the lines that only IPython understands; the others keep their numbers."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if re.match(r"\s*%%(?!time|timeit|capture|prun)", source):
        return "pass\n" * source.count("\n")
    return re.sub(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*$)", r"\1pass", source, flags=re.MULTILINE)


def _syntax_error(error: Exception, source: str) -> str:
    line = getattr(error, "lineno", None)
    lines = source.splitlines()
    shown = f": `{lines[line - 1].strip()[:80]}`" if line and line <= len(lines) and lines[line - 1].strip() else ""
    place = f" in line {line}{shown}" if line else ""
    reason = getattr(error, "msg", None) or type(error).__name__
    return f"Your code stopped with `{type(error).__name__}: {reason}`{place}."


def _checks(statements: Sequence[_Statement]) -> dict[str, list[tuple[int, str]]]:
    """For each exercise, where ``check`` is called, and with which expression."""
    checks: dict[str, list[tuple[int, str]]] = {}
    for at, statement in enumerate(statements):
        for node in ast.walk(statement.node):
            if not isinstance(node, ast.Call) or _called(node) != "check" or not node.args:
                continue
            id = node.args[0]
            given = node.args[1:2] + [word.value for word in node.keywords if word.arg == "answer"]
            if isinstance(id, ast.Constant) and isinstance(id.value, str) and given:
                checks.setdefault(id.value.strip(), []).append((at, ast.unparse(given[0])))
    return checks


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _chapters(wanted: Sequence[Wanted], statements: Sequence[_Statement], ids: set[str]) -> set[str]:
    """The chapters that a notebook is about: those it names, or that whose answers it defines most of."""
    chapters = {id.split(".")[0] for id in ids}
    if chapters:
        return chapters
    bound = set().union(*(statement.binds for statement in statements)) if statements else set()
    hits: dict[str, int] = {}
    for each in wanted:
        if each.answer in bound:
            hits[each.id.split(".")[0]] = hits.get(each.id.split(".")[0], 0) + 1
    return {chapter for chapter, count in hits.items() if count == max(hits.values())}


def _normal(source: str) -> str:
    """Source without comments, layout and docstrings."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return source
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(body) > 1:
                del body[0]
    return ast.dump(tree)


# What a statement does with names

_READS = {name for name in dis.opname if name.startswith("LOAD_") and ("NAME" in name or "GLOBAL" in name)}
_AT_ONCE = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


def _statement(node: ast.stmt, cell: int, place: int) -> _Statement:
    names = _Names()
    names.read(compile(ast.Module([node], []), "<statement>", "exec"), at_once=True)
    certain = isinstance(node, _CERTAIN) and not isinstance(node, ast.AugAssign)
    changes, anything = _effects(node)
    if isinstance(node, ast.AugAssign | ast.Delete):
        changes |= names.binds
        names.binds = set()
    return _Statement(
        cell, place, node, names.binds, changes | names.global_, names.uses, names.later, certain, anything
    )


_CERTAIN = (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


class _Names:
    """The global names that code binds, uses at once, or uses when one of its functions is called.

    The compiler knows which name is global in which scope; it is asked, by reading what it made.
    """

    def __init__(self) -> None:
        self.binds: set[str] = set()
        self.global_: set[str] = set()
        self.uses: set[str] = set()
        self.later: set[str] = set()

    def read(self, code: types.CodeType, at_once: bool, top: bool = True) -> None:
        own = set()
        for step in dis.get_instructions(code):
            if step.opname in ("STORE_NAME", "DELETE_NAME"):
                (self.binds if top else own).add(step.argval)
            elif step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                self.global_.add(step.argval)
            elif step.opname in _READS and step.argval not in own:
                (self.uses if at_once else self.later).add(step.argval)
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                body_of_class = "__module__" in inner.co_names and "__qualname__" in inner.co_names
                self.read(inner, at_once and (body_of_class or inner.co_name in _AT_ONCE), top=False)


def _effects(node: ast.stmt) -> tuple[set[str], bool]:
    """What a statement may change in place (``values[0] = 1``, ``values.append(1)``); whether it may do anything."""
    changes, anything = set(), False
    for part in ast.walk(node):
        changed = None
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
            changed = _root(part)
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            changed = _root(part.value.func) if isinstance(part.value.func, ast.Attribute) else None
        elif isinstance(part, ast.Call):
            anything |= _called(part) in _DYNAMIC
        elif isinstance(part, ast.ImportFrom):
            anything |= any(alias.name == "*" for alias in part.names)
        if changed and not _inside_function(node):
            changes.add(changed)
    return changes, anything


_DYNAMIC = ("exec", "eval", "globals", "locals", "vars", "setattr", "run_line_magic")


def _inside_function(node: ast.stmt) -> bool:
    """A definition changes nothing when it is run; what its body changes is changed when it is called."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _root(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _loads(expression: ast.Expression) -> set[str]:
    names = _Names()
    names.read(compile(expression, "<expression>", "eval"), at_once=True)
    return names.uses | names.later
