"""Fetch what the site serves besides its own pages: MathJax, the widgets' scripts, the text face.

Nothing of it is committed. Versions and checksums are in ``tools/assets/package-lock.json``; anywidget's script
comes from the installed wheel, so that it is the one the notebooks ran with. The result is a Sphinx static path::

    fonts/     the text face, and a style sheet that names it
    mathjax/   MathJax 3: TeX in, HTML out
    widgets/   widgets.js and widgets.css: ``tools/assets/widgets.js``, bundled with ipywidgets' controls and anywidget
"""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKED = Path(__file__).parent / "assets"
WIDGETS = "widgets.js"
MATHJAX_PARTS = (
    "startup.js",
    "loader.js",
    "core.js",
    "input/tex.js",
    "input/tex",
    "output/chtml.js",
    "output/chtml",
)
MATHJAX_ACCESSIBLE = ("a11y/assistive-mml.js",)
# anywidget's script asks for its peers as an AMD module does; in the bundle it is an ES module.
AS_MODULE = """\
import * as base from "@jupyter-widgets/base";
let found;
const define = (_, factory) => (found = factory(base));
{script}
export default found;
"""
FONT_FACE = """\
@font-face {{
  font-family: "Source Serif 4 Variable";
  font-style: {style};
  font-weight: 200 900;
  font-display: swap;
  src: url({file}) format("woff2");
}}
"""


def key() -> str:
    """A hash of everything that decides the content of the folder of assets."""
    digest = hashlib.sha256()
    for path in (LOCKED / "package-lock.json", LOCKED / WIDGETS, _anywidget_script(), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def ensure(folder: Path) -> bool:
    """Make the folder of assets unless it is there and current; whether it was made."""
    stamp = folder / ".key"
    if stamp.exists() and stamp.read_text() == key():
        return False
    print("Fetching the site's assets (MathJax, widget scripts, text face) ...", flush=True)
    modules = _install(folder.parent / "node")
    shutil.rmtree(folder, ignore_errors=True)
    _assemble_mathjax(modules / "mathjax" / "es5", folder / "mathjax")
    _assemble_widgets(modules, folder / "widgets")
    _assemble_fonts(modules / "@fontsource-variable" / "source-serif-4" / "files", folder / "fonts")
    stamp.write_text(key())
    return True


# --- npm -------------------------------------------------------------------------------------------


def _npm() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    requirements = LOCKED / "requirements-node.txt"
    print("There is no npm on this machine: installing node from a wheel ...", flush=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True)
    return [str(Path(sysconfig.get_path("scripts")) / "npm")]


def _install(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(LOCKED / name, folder / name)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run([*_npm(), "ci", *options], folder)
    return folder / "node_modules"


def _run(command: list[str], folder: Path) -> None:
    """Run a program of npm, which may need the node that came by pip."""
    scripts = sysconfig.get_path("scripts")
    environment = {**os.environ, "PATH": os.pathsep.join([os.environ.get("PATH", ""), scripts])}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)


# --- the three folders -----------------------------------------------------------------------------


def _assemble_mathjax(source: Path, target: Path) -> None:
    for part in MATHJAX_PARTS + MATHJAX_ACCESSIBLE:
        copy = shutil.copytree if (source / part).is_dir() else shutil.copyfile
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        copy(source / part, target / part)


def _assemble_widgets(modules: Path, target: Path) -> None:
    """Bundle the page's widget manager with what it imports, into one script and one style sheet."""
    source = modules.parent
    shutil.copyfile(LOCKED / WIDGETS, source / WIDGETS)
    script = _anywidget_script().read_text(encoding="utf-8")
    (source / "anywidget.js").write_text(AS_MODULE.format(script=script), encoding="utf-8")
    options = ["--bundle", "--minify", "--format=iife", "--charset=utf8", "--legal-comments=eof", "--log-level=warning"]
    _run(["node_modules/.bin/esbuild", WIDGETS, *options, f"--outfile={target.resolve() / WIDGETS}"], source)


def _assemble_fonts(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    faces = []
    for style in ("normal", "italic"):
        file = f"source-serif-4-latin-wght-{style}.woff2"
        shutil.copyfile(source / file, target / file)
        faces.append(FONT_FACE.format(style=style, file=file))
    (target / "fonts.css").write_text("\n".join(faces), encoding="utf-8")


def _anywidget_script() -> Path:
    return Path(str(importlib.resources.files("anywidget"))) / "nbextension" / "index.js"
