"""Keep the chapters' notebooks in a form whose diffs can be read.

The stored form of a chapter:

- cell ids are words taken from the cell itself, so that an edit of one cell changes one cell;
- only cells tagged ``nbval-check-output`` keep outputs and an execution count (always 1): nbval compares a
  cell exactly when its stored count is not null;
- metadata is the kernel's name and the cells' tags;
- keys are sorted, the indent is 1, the last line ends.

Commands (``python -m tools.notebooks COMMAND --help`` tells more)::

    from-md SRC.md DST.ipynb    make a notebook of a MyST Markdown text
    format  PATH...             rewrite notebooks in the stored form
    run     PATH...             execute them, and store the outputs of checked cells afresh
    check   PATH...             name every fault, one sentence each; exit status 1 if there is one

A PATH is a notebook, or a folder that is searched for notebooks.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

CHECKED_TAG = "nbval-check-output"
RAISES_TAG = "raises-exception"
MAX_CODE_LINES = 20
MAX_ID_LENGTH = 48
CELL_TIMEOUT_SECONDS = 120
KEPT_CELL_METADATA = ("mystnb", "tags")
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

_GOOD_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")
_ANSI_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_MACHINE_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")
_MARKDOWN_IMAGE_WITHOUT_ALT = re.compile(r"!\[\s*\]\(")
_HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_HTML_ALT = re.compile(r"\balt\s*=\s*(\"[^\"]+\"|'[^']+')", re.IGNORECASE)
_FENCED_BLOCK = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.DOTALL | re.MULTILINE)


# --- the stored form ------------------------------------------------------------------------------


def is_checked(cell: NotebookNode) -> bool:
    """Whether nbval is to compare the outputs of this cell."""
    return cell.cell_type == "code" and CHECKED_TAG in cell.metadata.get("tags", [])


def is_good_id(cell_id: str) -> bool:
    """Whether an id is made of words, and not drawn at random by an editor."""
    if len(cell_id) > MAX_ID_LENGTH or _RANDOM_ID.fullmatch(cell_id):
        return False
    return _GOOD_ID.fullmatch(cell_id) is not None


def slug(cell: NotebookNode) -> str:
    """An id in words: from a heading if there is one, else from the first line that has any words."""
    lines = [line.strip() for line in cell.source.splitlines()]
    headings = [line for line in lines if cell.cell_type == "markdown" and line.startswith("#")]
    for line in headings + lines:
        ascii_line = unicodedata.normalize("NFKD", line).encode("ascii", "ignore").decode().lower()
        words = re.findall(r"[a-z0-9]+", ascii_line)[:6]
        text = "-".join(words)[: MAX_ID_LENGTH - 4].strip("-")
        if text:
            return text if is_good_id(text) else f"cell-{text}"
    return cell.cell_type


def _give_ids(cells: list[NotebookNode]) -> None:
    kept = [cell.get("id", "") for cell in cells if is_good_id(cell.get("id", ""))]
    reserved, used = set(kept), set()
    for cell in cells:
        name = cell.get("id", "")
        if not is_good_id(name) or name in used:
            base, number = slug(cell), 2
            name = base
            while name in reserved or name in used:
                name, number = f"{base}-{number}", number + 1
        cell["id"] = name
        used.add(name)


def _stored_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    stored: list[NotebookNode] = []
    for output in outputs:
        output = nbformat.from_dict(output)
        if output.output_type == "stream":
            previous = next((o for o in stored if o.output_type == "stream" and o.name == output.name), None)
            if previous is not None:  # a stream arrives in pieces whose borders differ from run to run
                previous.text += output.text
                continue
        if output.output_type == "execute_result":
            output.execution_count = 1
        if output.output_type == "error":
            output.traceback = []  # it names folders of the author's machine, and nbval does not compare it
            output.evalue = _ANSI_ESCAPE.sub("", output.evalue)
        if "metadata" in output:
            output.metadata = NotebookNode()
        stored.append(output)
    return stored


def _stored_cell(cell: NotebookNode) -> NotebookNode:
    source = cell.source.strip("\n")
    kept = {key: cell.metadata[key] for key in KEPT_CELL_METADATA if cell.metadata.get(key)}
    new = NotebookNode(cell_type=cell.cell_type, id=cell.get("id", ""), metadata=NotebookNode(kept), source=source)
    if cell.cell_type == "markdown" and cell.get("attachments"):
        new.attachments = cell.attachments
    if cell.cell_type == "code":
        has_run = is_checked(cell) and cell.execution_count is not None
        new.execution_count = 1 if has_run else None
        new.outputs = _stored_outputs(cell.outputs) if has_run else []
    return new


def stored_form(notebook: NotebookNode) -> NotebookNode:
    """A copy of a notebook in the form it is stored in; a notebook in that form comes back equal."""
    cells = [_stored_cell(cell) for cell in notebook.cells if cell.source.strip()]
    _give_ids(cells)
    new = nbformat.v4.new_notebook(cells=cells, metadata=nbformat.from_dict(NOTEBOOK_METADATA))
    new.nbformat_minor = 5
    return new


def stored_text(notebook: NotebookNode) -> str:
    """The text of the file that holds a notebook in its stored form."""
    return nbformat.writes(stored_form(notebook), version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def read(path: Path) -> NotebookNode:
    """Read a notebook file, also one that begins with a byte order mark.

    Raises
    ------
    ValueError
        If the file is not a notebook.
    """
    try:
        notebook = nbformat.reader.reads(path.read_text(encoding="utf-8-sig"))
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError) as error:
        first_line = str(error).splitlines()[0]
        raise ValueError(f"{path} is not a notebook: {first_line}") from error
    if notebook.nbformat != 4:
        raise ValueError(f"{path} is a notebook of format {notebook.nbformat}, not 4")
    return notebook


# --- faults ---------------------------------------------------------------------------------------


def _faults_of_id(cell: NotebookNode, seen: set[str]) -> Iterator[str]:
    cell_id = cell.get("id", "")
    if not is_good_id(cell_id):
        yield "has no id in words"
    if cell_id in seen:
        yield "has the id of an earlier cell"
    seen.add(cell_id)


def _faults_of_markdown(cell: NotebookNode) -> Iterator[str]:
    prose = _FENCED_BLOCK.sub("", cell.source)
    images = _HTML_IMAGE.findall(cell.source)
    if _MARKDOWN_IMAGE_WITHOUT_ALT.search(prose) or not all(map(_HTML_ALT.search, images)):
        yield "shows an image without alternative text"


def _faults_of_checked(cell: NotebookNode) -> Iterator[str]:
    if cell.execution_count is None:
        yield f"is tagged {CHECKED_TAG} but has no execution count, so nbval would compare nothing (use run)"
    elif cell.execution_count != 1:
        yield f"has execution count {cell.execution_count}, where the stored form has 1"
    if not cell.outputs:
        yield f"is tagged {CHECKED_TAG} but stores no output to compare (use run, or drop the tag)"
    for output in cell.outputs:
        text = str(output.get("text", "")) + str(output.get("data", ""))
        if "image/png" in output.get("data", {}):
            yield "stores a picture, which nbval does not compare (print numbers instead)"
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
            yield "stores a widget, which nbval does not compare (print numbers instead)"
        if _MACHINE_ADDRESS.search(text):
            yield "prints a memory address, which differs from run to run"
        if output.output_type == "error" and RAISES_TAG not in cell.metadata.get("tags", []):
            yield f"stores an error without the tag {RAISES_TAG}"


def _faults_of_code(cell: NotebookNode) -> Iterator[str]:
    lines = len(cell.source.splitlines())
    if lines > MAX_CODE_LINES:
        yield f"has {lines} lines of code, more than {MAX_CODE_LINES}"
    if is_checked(cell):
        yield from _faults_of_checked(cell)
        return
    if cell.outputs:
        yield f"stores outputs without the tag {CHECKED_TAG}"
    if cell.execution_count is not None:
        yield f"stores an execution count without the tag {CHECKED_TAG}"
    if RAISES_TAG in cell.metadata.get("tags", []):
        yield f"is tagged {RAISES_TAG} but not {CHECKED_TAG}, so it would pass without raising"


def faults(path: Path) -> list[str]:
    """Everything that is wrong with a stored notebook, one sentence each; empty when it is in order."""
    try:
        notebook = read(path)
    except ValueError as error:
        return [f"{error}."]
    found: list[str] = []
    if not notebook.cells or not notebook.cells[0].source.lstrip().startswith("# "):
        found.append(f"{path}: the first cell does not open with a title (# ...).")
    seen: set[str] = set()
    for number, cell in enumerate(notebook.cells):
        of_kind = {"markdown": _faults_of_markdown, "code": _faults_of_code}.get(cell.cell_type, lambda cell: ())
        where = f"{path}: cell {number} ({cell.get('id') or 'no id'})"
        found.extend(f"{where} {fault}." for fault in (*_faults_of_id(cell, seen), *of_kind(cell)))
    if not found and path.read_text(encoding="utf-8") != stored_text(notebook):
        found.append(f"{path}: the file is not in the stored form (use format).")
    return found


# --- running --------------------------------------------------------------------------------------


def execute(notebook: NotebookNode, folder: Path) -> dict[str, float]:
    """Execute a notebook in place, from `folder`, as a student who has done nothing yet; seconds by cell id.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises and is not tagged ``raises-exception``.
    """
    from nbclient import NotebookClient

    seconds: dict[str, float] = {}
    started: dict[str, float] = {}

    def on_start(cell: NotebookNode, cell_index: int) -> None:
        started[cell.id] = time.perf_counter()

    def on_end(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        seconds[cell.id] = time.perf_counter() - started[cell.id]

    with tempfile.TemporaryDirectory() as scratch:
        variables = {**os.environ, "OPTIM_COURSE_PROGRESS": str(Path(scratch) / "progress.json")}
        variables.setdefault("OMP_NUM_THREADS", "1")
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            store_widget_state=False,
            record_timing=False,
            coalesce_streams=True,
            extra_arguments=["--log-level=ERROR"],
            on_cell_start=on_start,
            on_cell_executed=on_end,
        )
        client.execute(env=variables)
    return seconds


# --- commands -------------------------------------------------------------------------------------


def notebooks_under(paths: list[Path]) -> list[Path]:
    """The notebooks named by paths, folders searched in depth, the editor's checkpoints left out."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise ValueError(f"{path} does not exist.")
        candidates = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        found.extend(p for p in candidates if ".ipynb_checkpoints" not in p.parts)
    return found


def _write_if_changed(path: Path, text: str) -> bool:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def format_command(paths: list[Path]) -> int:
    for path in notebooks_under(paths):
        if _write_if_changed(path, stored_text(read(path))):
            print(f"{path}: rewritten")
    return 0


def check_command(paths: list[Path]) -> int:
    notebooks = notebooks_under(paths)
    found = [fault for path in notebooks for fault in faults(path)]
    print("\n".join(found) if found else f"{len(notebooks)} notebooks in order")
    return 1 if found else 0


def run_command(paths: list[Path]) -> int:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    status = 0
    for path in notebooks_under(paths):
        notebook = stored_form(read(path))
        begin = time.perf_counter()
        try:
            seconds = execute(notebook, path.parent)
        except (CellExecutionError, CellTimeoutError) as error:
            print(f"{path}: not stored, since a cell failed.\n{error}", file=sys.stderr)
            status = 1
            continue
        _write_if_changed(path, stored_text(notebook))
        checked = sum(map(is_checked, notebook.cells))
        slowest = max(seconds, key=seconds.get, default="none")
        print(
            f"{path}: {len(seconds)} cells in {time.perf_counter() - begin:.1f} s, "
            f"{checked} with stored outputs; slowest {slowest} ({seconds.get(slowest, 0):.1f} s)"
        )
    return status


def from_md_command(source: Path, target: Path) -> int:
    import jupytext

    if not source.is_file():
        raise ValueError(f"{source} does not exist.")
    if target.suffix != ".ipynb":
        raise ValueError(f"the target must end in .ipynb, got {target.name}.")
    notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="md:myst")
    target.parent.mkdir(parents=True, exist_ok=True)
    _write_if_changed(target, stored_text(notebook))
    print(f"{target}: {len(notebook.cells)} cells")
    return 0


FROM_MD_HELP = """Write the text in MyST Markdown. A code cell is

    ```{code-cell} ipython3
    :tags: [hide-input]

    explore(Adam, rosenbrock)
    ```

with any of the tags hide-input, nbval-check-output, raises-exception; `+++` on a line of its own ends a
Markdown cell. Cell ids are made from headings and first lines. Outputs are stored afterwards by `run`."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in {
        "format": "rewrite notebooks in the stored form",
        "check": "name every fault of stored notebooks; exit status 1 if there is one",
        "run": "execute notebooks and store the outputs of checked cells afresh",
    }.items():
        command = commands.add_parser(name, help=help_text, description=help_text)
        command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a notebook, or a folder of them")
    from_md = commands.add_parser(
        "from-md",
        help="make a notebook of a MyST Markdown text",
        description=FROM_MD_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    from_md.add_argument("source", type=Path, metavar="SRC.md")
    from_md.add_argument("target", type=Path, metavar="DST.ipynb")
    options = parser.parse_args(arguments)
    try:
        if options.command == "from-md":
            return from_md_command(options.source, options.target)
        return {"format": format_command, "check": check_command, "run": run_command}[options.command](options.paths)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
