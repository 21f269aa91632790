"""Build the site, doing again only what a change made necessary.

``python -m tools.build_book`` builds ``_build/html``. It keeps two hashes of the last build:

- of the code that the chapters run (optim_lib, exercises, requirements): a change executes every chapter again,
  which Jupyter Book would not, since its cache looks at the cells only;
- of what shapes the pages (configuration, style, scripts, assets): a change renders every page again.

A change of one page is left to Jupyter Book. Warnings are errors.

``python -m tools.build_book --preview chapters/08_adam.ipynb --to FOLDER`` builds a site of the front pages and
the named chapters only, for an author at work; links to the other chapters warn.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from tools import colors, lab, run_chapters, site_assets

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "_build"
CODE = ("optim_lib", "experiments", "exercises", "requirements.txt", "constraints.txt")
LOOK = (
    "_config.yml",
    "_toc.yml",
    "book",
    "tools/build_book.py",
    "tools/api_reference.py",
    "tools/site_assets.py",
    "tools/formulas.py",
    "tools/lab_pages.py",
    "tools/scratch.py",
    "tools/figures.py",
    "tools/plays.py",
    "tools/lean.py",
    "tools/pages.py",
    "tools/search_index.py",
    "tools/templates",
    "tools/assets",
)
PAGES = ("chapters",)
FRONT_PAGES = ("chapters/how-to-use", "chapters/notation", "chapters/references")
EXECUTION_SECONDS = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["execute"]["timeout"]
IGNORED = ("__pycache__", ".ipynb_checkpoints", ".ruff_cache")
ANSI_ESCAPE = re.compile(r"\x1b\[[0-9;]*[mK]")


def signature(paths: Iterable[str], root: Path = ROOT) -> str:
    """A hash of the names and contents of files and folders."""
    digest = hashlib.sha256()
    for path in paths:
        start = root / path
        files = sorted(start.rglob("*")) if start.is_dir() else [start]
        for file in files:
            if file.is_file() and not set(IGNORED) & set(file.parts):
                digest.update(file.relative_to(root).as_posix().encode() + b"\0")
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def signatures(root: Path = ROOT) -> dict[str, str]:
    """What the site depends on, in three parts that call for different work when they change."""
    return {
        "code": signature(CODE, root),
        "look": signature(LOOK, root) + site_assets.key() + lab.key(BUILD / "lab"),
        "pages": signature(PAGES, root),
    }


def _remembered(build: Path) -> dict[str, str]:
    try:
        found = json.loads((build / "signatures.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_current(build: Path = BUILD) -> bool:
    """Whether the site in `build` is what a build would make now."""
    return (build / "html" / "index.html").exists() and _remembered(build) == signatures()


@contextlib.contextmanager
def _alone(build: Path) -> Iterator[None]:
    """Hold the folder's lock, so that two builds at once make one site."""
    build.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # no such locks on Windows
        yield
        return
    with (build / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remember(build: Path, parts: dict[str, str]) -> None:
    (build / "signatures.json").write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")


def _drop_what_changed(build: Path, new: dict[str, str]) -> None:
    old = _remembered(build)
    if old.get("code") != new["code"]:
        if old:
            print(
                "optim_lib, experiments, exercises or the requirements have changed: every chapter is run again.",
                flush=True,
            )
        shutil.rmtree(build / ".jupyter_cache", ignore_errors=True)
    # Of a site that was not finished, Sphinx would miss its index.
    unfinished = (build / "html").exists() and not (build / "html" / "searchindex.js").exists()
    if unfinished or old.get("code") != new["code"] or old.get("look") != new["look"]:
        shutil.rmtree(build / ".doctrees", ignore_errors=True)
        shutil.rmtree(build / "html", ignore_errors=True)
    _remember(build, {part: new[part] for part in ("code", "look")})


def _tell(line: str) -> str | None:
    """What a reader of the terminal is told of one line of Jupyter Book's output; None for nothing."""
    if match := re.search(r"(chapters/[\w-]+\.\w+): Executing notebook", line):
        return f"  running {match[1]} ..."
    if match := re.search(r"Executed notebook in ([\d.]+) seconds", line):
        return f"    {float(match[1]):.1f} s"
    if "[IPKernelApp]" in line:
        return None
    return line if re.search(r"\b(WARNING|ERROR|CRITICAL)\b", line) else None


def _script(name: str) -> Path:
    """A command that pip has installed for the running Python; on Windows its file ends in .exe."""
    folder = Path(sysconfig.get_path("scripts"))
    return folder / (f"{name}.exe" if os.name == "nt" else name)


def _run_jupyter_book(build: Path, toc: Path, strict: bool) -> int:
    command = [_script("jupyter-book"), "build", ROOT, "--toc", toc]
    command += ["--path-output", build.parent]
    if strict:
        command += ["-W", "--keep-going", "--nitpick"]
    log = build / "build.log"
    with tempfile.TemporaryDirectory() as scratch, log.open("w", encoding="utf-8") as record:
        environment = {
            **os.environ,
            "OPTIM_COURSE_PROGRESS": str(Path(scratch) / "progress.json"),
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }
        with subprocess.Popen(
            list(map(str, command)),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            for line in process.stdout:
                line = ANSI_ESCAPE.sub("", line)
                record.write(line)
                if told := _tell(line.rstrip()):
                    print(told, flush=True)
    return process.returncode


def build_site(build: Path = BUILD, toc: Path = ROOT / "_toc.yml", *, strict: bool = True) -> bool:
    """Bring the site in ``build/html`` up to date; whether it is.

    `build` must be named ``_build``, the name that Jupyter Book gives its folder. Unless `strict`, a warning is only
    a warning.
    """
    with _alone(build):
        colors.write()
        if is_current(build):
            print("The site is up to date.")
            return True
        begin = time.perf_counter()
        site_assets.ensure(BUILD / "site_assets")
        lab.ensure(BUILD / "lab")
        new = signatures()
        _drop_what_changed(build, new)
        print("Building the site; chapters that changed are run ...", flush=True)
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        run_chapters.run_ahead(notebooks_of(toc), build / ".jupyter_cache", EXECUTION_SECONDS, ROOT)
        if _run_jupyter_book(build, toc, strict) != 0:
            for report in sorted((build / "html" / "reports").rglob("*.err.log")):
                print(f"\n{report.name}\n{ANSI_ESCAPE.sub('', report.read_text(encoding='utf-8'))}", file=sys.stderr)
            # Pages already read would not warn a second time.
            shutil.rmtree(build / ".doctrees", ignore_errors=True)
            shutil.rmtree(build / "html" / "reports", ignore_errors=True)
            print(f"\nThe book was not built. The whole log: {build / 'build.log'}", file=sys.stderr)
            return False
        _remember(build, new)
        print(f"Built in {time.perf_counter() - begin:.0f} s.")
        return True


def notebooks_of(toc: Path) -> list[Path]:
    """The notebooks that a table of contents names, in its order."""
    named = re.findall(r"^\s*-?\s*(?:file|root):\s*(\S+)", toc.read_text(encoding="utf-8"), re.MULTILINE)
    paths = [ROOT / f"{name}.ipynb" for name in named]
    return [path for path in paths if path.exists()]


def _preview_toc(notebooks: list[Path], folder: Path) -> Path:
    chapters = [path.resolve().relative_to(ROOT).with_suffix("").as_posix() for path in notebooks]
    files = [*chapters, *FRONT_PAGES]
    toc = {"format": "jb-book", "root": "chapters/index", "chapters": [{"file": file} for file in files]}
    path = folder / "_toc.yml"
    path.write_text(yaml.safe_dump(toc), encoding="utf-8")
    return path


def _say_how_to_open(html: Path) -> None:
    print(f"\nOpen the course: {html / 'index.html'}\nor serve it:     make serve")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.build_book", description=__doc__.splitlines()[0])
    parser.add_argument("--preview", nargs="+", type=Path, metavar="NOTEBOOK", help="build these chapters only")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where a preview is built")
    options = parser.parse_args(arguments)
    if bool(options.preview) != bool(options.to):
        parser.error("--preview and --to go together")
    build, toc = BUILD, ROOT / "_toc.yml"
    if options.preview:
        build = options.to.resolve() / "_build"
        build.mkdir(parents=True, exist_ok=True)
        toc = _preview_toc(options.preview, build.parent)
    if not build_site(build, toc, strict=not options.preview):
        return 1
    _say_how_to_open(build / "html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
