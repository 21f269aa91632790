"""Fetch what the site serves besides its own pages: MathJax, the widgets' scripts, the text face.

Nothing of it is committed. Versions and checksums are in ``tools/assets/package-lock.json``; anywidget's script
comes from the installed wheel, so that it is the one the notebooks ran with. The result is a Sphinx static path::

    fonts/     the text face, and a style sheet that names it
    mathjax/   MathJax 3: TeX in, HTML out
    widgets/   require.js, html-manager.js (base, controls and manager of ipywidgets), anywidget.js, icon fonts
"""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKED = Path(__file__).parent / "assets"
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
# The modules look for their fonts beside their own address, which has to be known before they are defined.
REQUIRE_CONFIG = """\
(function () {
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const names = ["@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/html-manager", "anywidget"];
  requirejs.config({ paths: Object.fromEntries(names.map((name) => [name, folder + name.replace(/.*\\//, "")])) });
})();
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
    for path in (LOCKED / "package-lock.json", _anywidget_script(), Path(__file__)):
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
    scripts = sysconfig.get_path("scripts")
    environment = {**os.environ, "PATH": os.pathsep.join([os.environ.get("PATH", ""), scripts])}
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*_npm(), "ci", *options], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return folder / "node_modules"


# --- the three folders -----------------------------------------------------------------------------


def _assemble_mathjax(source: Path, target: Path) -> None:
    for part in MATHJAX_PARTS + MATHJAX_ACCESSIBLE:
        copy = shutil.copytree if (source / part).is_dir() else shutil.copyfile
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        copy(source / part, target / part)


def amd_modules(bundle: str) -> dict[str, str]:
    """The text of each named module of an AMD bundle, by name."""
    starts = [(match.start(), match[1]) for match in re.finditer(r'^define\("([^"]+)"', bundle, re.MULTILINE)]
    ends = [start for start, _ in starts[1:]] + [len(bundle)]
    return {name: bundle[start:end] for (start, name), end in zip(starts, ends, strict=True)}


def _assemble_widgets(modules: Path, target: Path) -> None:
    target.mkdir(parents=True)
    manager = modules / "@jupyter-widgets" / "html-manager" / "dist"
    parts = amd_modules((manager / "embed-amd.js").read_text(encoding="utf-8"))
    # The bundle also has ipywidgets 7, and a loader that may turn to a content delivery network: book/widgets.js
    # does that loader's work.
    wanted = ("@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/html-manager")
    text = "\n".join(re.sub(r"^//# sourceMappingURL=.*$", "", parts[name], flags=re.MULTILINE) for name in wanted)
    # A page opened from disk has no origin, and then the bundle cannot find its fonts.
    text = re.sub(r"\$\{(\w+)\.origin\}", r"${\1.protocol}//${\1.host}", text)
    (target / "html-manager.js").write_text(REQUIRE_CONFIG + text, encoding="utf-8")
    for font in manager.glob("*.woff2"):
        shutil.copyfile(font, target / font.name)
    shutil.copyfile(modules / "requirejs" / "require.js", target / "require.js")
    shutil.copyfile(_anywidget_script(), target / "anywidget.js")


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
