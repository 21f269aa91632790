r"""Set the formulas of the book when it is built, as MathML: a page reads without a script, and nothing in it jumps.

A Sphinx extension. Temml (npm) turns TeX into the part of MathML that every browser draws; the letters come from STIX
Two Math, which ziamath (PyPI) carries, cut down to the characters that the book uses. A formula that Temml does not
understand is a warning, and so ends the build.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from tools import site_assets

LOG = logging.getLogger(__name__)
BUILD = Path(__file__).parents[1] / "_build"
SCRIPT = Path(__file__).parent / "assets" / "formulas.mjs"
STYLE = "Temml-STIX2.css"
# What a browser draws without a character that asks for it: italic letters and Greek for plain ones, and the root.
DRAWN = {*map(chr, range(0x1D434, 0x1D468)), *map(chr, range(0x1D6E2, 0x1D71C)), "\u210e", "\u221a"}


# What optim_lib.pages makes of a formula in a caption or a table.
IN_OUTPUT = re.compile(r'<span class="math notranslate nohighlight">\\\((.*?)\\\)</span>', re.DOTALL)
# Under a low letter a root would hang far below the line: it is as high as any letter, and so are its neighbors.
ROOT = "<msqrt>"
STRUT = '<mspace width="0em" height="0.72em" depth="0.2em"></mspace>'


class Typesetter:
    """A node process that answers each formula with its MathML."""

    def __init__(self) -> None:
        script = site_assets.install(BUILD).parent / SCRIPT.name
        shutil.copyfile(SCRIPT, script)
        command = [*site_assets.node_in(BUILD).node, script]
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self._set: dict[tuple[str, bool], str] = {}

    def __call__(self, tex: str, display: bool) -> str:
        """The MathML of a formula.

        Raises
        ------
        ValueError
            If Temml does not understand it.
        """
        if (tex, display) not in self._set:
            self._process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
            if "error" in answer:
                raise ValueError(f"formula {tex!r} is not understood: {answer['error']}")
            self._set[tex, display] = answer["mathml"].replace(ROOT, ROOT + STRUT)
        return self._set[tex, display]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=10)


_typesetter: Typesetter | None = None


def _mathml(tex: str, display: bool, node: nodes.Node | None) -> str:
    global _typesetter
    _typesetter = _typesetter or Typesetter()
    try:
        return _typesetter(tex, display)
    except ValueError as error:
        LOG.warning("%s", error, location=node)
        return ""


def displayed(source: str) -> str:
    """The TeX of a displayed formula; its lines, if it has several, are aligned at ``&``."""
    paragraphs = [part for part in source.strip().split("\n\n") if part.strip()]
    tex = r" \\ ".join(paragraphs)
    several = r"\\" in re.sub(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", "", tex, flags=re.DOTALL)
    return rf"\begin{{aligned}}{tex}\end{{aligned}}" if several else tex


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(f'<span class="math">{_mathml(node.astext(), False, node)}</span>')
    raise nodes.SkipNode


def visit_display(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math", tabindex="0"))
    translator.body.append(f"{_mathml(displayed(node.astext()), True, node)}</div>")
    raise nodes.SkipNode


def set_in_outputs(html: str, typeset: Callable[[str, bool], str]) -> str:
    r"""A page with the formulas set that the outputs of its cells hold as ``\\(...\\)``, for a notebook's MathJax."""
    return IN_OUTPUT.sub(lambda found: f'<span class="math">{typeset(unescape(found[1]), False)}</span>', html)


def characters(pages: Path) -> set[str]:
    """The characters of the formulas of a built site."""
    found = set(DRAWN)
    for page in pages.rglob("*.html"):
        for formula in re.findall(r"<math\b.*?</math>", page.read_text(encoding="utf-8"), re.DOTALL):
            found.update(re.sub(r"<[^>]*>", "", formula))
    return {character for character in found if unicodedata.category(character)[0] not in "CZ"} | {" "}


def _carrier() -> Path:
    """The folder of the package that carries the font; nothing of it is run."""
    return Path(find_spec("ziamath").submodule_search_locations[0])


def narrow_roots(font: Any) -> None:
    """Make the larger signs of the root as narrow as the smallest one.

    Chromium keeps room behind every root for the widest sign there is, so that a comma would stand far off.
    """
    sign = font.getBestCmap()[ord("\u221a")]
    variants = font["MATH"].table.MathVariants
    larger = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(sign)]
    parts = larger.GlyphAssembly.PartRecords if larger.GlyphAssembly else []
    names = {record.VariantGlyph for record in larger.MathGlyphVariantRecord} | {part.glyph for part in parts}
    width = font["hmtx"][sign][0]
    for name in sorted(names - {sign}):
        glyph, (advance, bearing) = font["glyf"][name], font["hmtx"][name]
        glyph.coordinates.scale((width / advance, 1))
        glyph.coordinates.toInt()
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (width, round(bearing * width / advance))


def write_font(pages: Path, folder: Path) -> None:
    """Put the style sheet of the formulas and the characters of the font that the pages use into a folder."""
    from fontTools import subset

    options = subset.Options(flavor="woff2", layout_features=["*"], desubroutinize=True)
    font = subset.load_font(str(_carrier() / "fonts" / "STIXTwoMath-Regular.ttf"), options)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(characters(pages))))
    cutter.subset(font)
    narrow_roots(font)
    folder.mkdir(parents=True, exist_ok=True)
    subset.save_font(font, str(folder / "STIXTwoMath.woff2"), options)
    # The reader's own copy of the font may be another version.
    style = (site_assets.install(BUILD) / "temml" / "dist" / STYLE).read_text(encoding="utf-8")
    (folder / "formulas.css").write_text(style.replace("local('STIXTwoMath'),", ""), encoding="utf-8")


def _set_outputs(pages: Path) -> None:
    for page in pages.rglob("*.html"):
        before = page.read_text(encoding="utf-8")
        if IN_OUTPUT.search(before):
            after = set_in_outputs(before, lambda tex, display: _mathml(tex, display, None))
            page.write_text(after, encoding="utf-8")


def _finish(app: Sphinx, error: Exception | None) -> None:
    global _typesetter
    if error is None and app.builder.format == "html":
        _set_outputs(Path(app.outdir))
    if _typesetter:
        _typesetter.close()
        _typesetter = None
    if error is None and app.builder.format == "html":
        write_font(Path(app.outdir), Path(app.outdir) / "_static" / "formulas")


def setup(app: Sphinx) -> dict[str, Any]:
    """Announce the renderer to Sphinx."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
