"""Make the pages of a built site light: one style sheet, a few scripts, and of the theme only what the pages use.

A Sphinx extension, and ``python -m tools.lean`` for a site that was built before. Each page names about fifteen style
sheets and twenty scripts, most of whose rules and icons it never uses; on a phone that is seconds before the first
word. Here

- the theme's sheets lose the rules that no page can need (PurgeCSS), and all sheets of a page become one file;
- of the theme's icons those are kept that the sheets still name, and of the text face the letters and weights in use;
- scripts that follow each other become one, which no longer holds up the page.

What a page asks for afterwards is in ``_static/look``: ``NAME.css`` and ``NAME.js``, and ``NAME.json``, the files that
each was made of, so that it can be made again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx

from tools import site_assets

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "_build"
PURGE = Path(__file__).parent / "assets" / "purge.mjs"
LOOK = "_static/look"
# Sheets of our own, of which every rule is meant.
OWN = ("fonts/", "formulas/", "widgets/", "site.css", "lab.css")
AHEAD, AHEAD_OF_FORMULAS = "ahead.js", "ahead-formulas.js"
WEIGHTS = (400, 700)

SHEET = re.compile(r'[ \t]*<link\b(?=[^>]*\brel="stylesheet")[^>]*?\bhref="(?P<href>[^"]*_static/[^"]+)"[^>]*>\n?')
SCRIPT = re.compile(r'[ \t]*<script\b(?P<attributes>[^>]*)\bsrc="(?P<src>[^"]*_static/[^"]+)"[^>]*></script>[ \t]*\n?')
# Scripts that look for their own address.
ALONE = ("widgets/widgets.js", "engine/", "look/")
OLD_FONT = re.compile(r",\s*url\([^)]*\.ttf[^)]*\)\s*format\([^)]*\)")
SCRIPTED = ("widgets/*.js", "search/search.js", "engine/lab.js")
VERSION = re.compile(r'(look/(\w+)\.(?:css|js))(?:\?v=\w+)?(?=")')
ICON = re.compile(r'content:\s*"\\([ef][0-9a-f]{3})"')
ADDRESS = re.compile(r"url\(\s*['\"]?([^)'\"]+)['\"]?\s*\)")


def lighten(site: Path) -> None:
    """Make all pages of a site light; pages that are so already keep their files, made afresh."""
    pages = {page: page.read_text(encoding="utf-8") for page in _pages(site)}
    look = site / LOOK
    look.mkdir(parents=True, exist_ok=True)
    lean = {page: Page(page, site, look).joined(text) for page, text in pages.items()}
    for page, text in lean.items():
        if text != pages[page]:
            page.write_text(text, encoding="utf-8")
    made = Makers(site, look)
    versions = {record.stem: made.make(record) for record in sorted(look.glob("*.json"))}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        after = VERSION.sub(lambda found: f"{found[1]}?v={versions[found[2]]}", text)
        if after != text:
            page.write_text(after, encoding="utf-8")


class Page:
    """A page whose style sheets and scripts become few."""

    def __init__(self, page: Path, site: Path, look: Path) -> None:
        self.site, self.look = site, look
        self.up = "../" * (len(page.relative_to(site).parts) - 1)

    def joined(self, text: str) -> str:
        """The page's text with one style sheet and few scripts."""
        head, end, body = text.partition("</head>")
        ahead = [AHEAD, AHEAD_OF_FORMULAS] if "<math" in body else [AHEAD]
        return self._scripts(self._sheets(head), ahead) + end + self._last_scripts(body)

    def _record(self, files: Iterable[str], kind: str) -> str:
        """Note which files are to be one; the address of that one."""
        paths = [urlsplit(file).path.removeprefix(self.up).removeprefix("_static/") for file in files]
        name = hashlib.sha256("\n".join(paths).encode()).hexdigest()[:10]
        (self.look / f"{name}.json").write_text(json.dumps({"kind": kind, "files": paths}), encoding="utf-8")
        return f"{self.up}{LOOK}/{name}.{kind}"

    def _sheets(self, head: str) -> str:
        found = [match for match in SHEET.finditer(head) if f"{LOOK}/" not in match["href"]]
        if not found:
            return head
        address = self._record((match["href"] for match in found), "css")
        link = f'    <link rel="stylesheet" href="{address}" />\n'
        for match in reversed(found[1:]):
            head = head[: match.start()] + head[match.end() :]
        return head[: found[0].start()] + link + head[found[0].end() :]

    def _scripts(self, head: str, ahead: list[str]) -> str:
        """What decides on colors, before the style sheet, holds up the page; the others wait for it."""
        before, link, after = head.partition("<link")
        files = [match["src"] for match in SCRIPT.finditer(before) if f"{LOOK}/" not in match["src"]]
        if files:
            before = SCRIPT.sub("", before) + self._one([*files, *ahead], "").strip() + "\n    "
        return before + link + self._runs(after, "defer ")

    def _last_scripts(self, body: str) -> str:
        at = body.rfind("</main>")
        return body[:at] + self._runs(body[at:], "defer ") if at >= 0 else body

    def _runs(self, text: str, defer: str) -> str:
        """The text with one script for each run of scripts between others that stay as they are."""
        parts, run, last = [], [], 0
        for match in SCRIPT.finditer(text):
            between = text[last : match.start()]
            stays = any(f"_static/{name}" in match["src"] for name in ALONE)
            if run and (between.strip() or stays):
                parts.append(self._one(run, defer))
                run = []
            parts.append(between)
            if stays:
                parts.append(match[0])
            else:
                run.append(match["src"])
            last = match.end()
        if run:
            parts.append(self._one(run, defer))
        return "".join([*parts, text[last:]])

    def _one(self, run: list[str], defer: str) -> str:
        return f'    <script {defer}src="{self._record(run, "js")}"></script>\n'


class Makers:
    """Makes the files of ``_static/look`` of those that they stand for."""

    def __init__(self, site: Path, look: Path) -> None:
        self.site, self.look, self.static = site, look, site / "_static"
        self.modules = site_assets.install(BUILD)
        self.node = site_assets.node_in(BUILD).node

    def make(self, record: Path) -> str:
        """Make the file of a record; its version."""
        told = json.loads(record.read_text(encoding="utf-8"))
        files = [self.static / file for file in told["files"]]
        target = record.with_suffix(f".{told['kind']}")
        (self._sheet if told["kind"] == "css" else self._script)(files, target)
        return hashlib.sha256(target.read_bytes()).hexdigest()[:8]

    def _esbuild(self, *options: object) -> None:
        program = self.modules.resolve() / "esbuild" / "bin" / "esbuild"
        site_assets.run([*self.node, program, *map(str, options), "--minify", "--log-level=error"], self.look)

    def _script(self, files: list[Path], target: Path) -> None:
        # Each is a script of its own to the browser: what one of them declares, the next can use.
        # Named as no module, whatever the folders above say: in a module ``this`` is not the page.
        joined = target.with_suffix(".cjs")
        joined.write_text("\n;\n".join(file.read_text(encoding="utf-8") for file in files), encoding="utf-8")
        self._esbuild(joined.name, f"--outfile={target.name}", "--charset=utf8")
        joined.unlink()

    def _sheet(self, files: list[Path], target: Path) -> None:
        theirs = [file for file in files if not file.relative_to(self.static).as_posix().startswith(OWN)]
        script = self.modules.parent / PURGE.name
        script.write_bytes(PURGE.read_bytes())
        site_assets.run([*self.node, script, self.site, *self._scripts_in_use(), *theirs], self.look)
        for file in theirs:
            _modern(file.with_suffix(".lean.css"))
        lean = [file.with_suffix(".lean.css") if file in theirs else file for file in files]
        entry = target.with_suffix(".entry.css")
        entry.write_text("".join(f'@import "{_between(self.look, file)}";\n' for file in lean), encoding="utf-8")
        loaders = [f"--loader:.{kind}=file" for kind in ("woff2", "ttf", "svg", "png")]
        names = ("--bundle", "--asset-names=[name]", f"--outfile={target.name}")
        self._esbuild(entry.name, *names, *loaders)
        for file in (entry, *(file for file in lean if file.name.endswith(".lean.css"))):
            file.unlink()
        self._cut_fonts(target)

    def _scripts_in_use(self) -> list[Path]:
        """The scripts that may give an element a class; Bootstrap's names those of parts that no page has."""
        records = [json.loads(record.read_text(encoding="utf-8")) for record in self.look.glob("*.json")]
        joined = {file for record in records if record["kind"] == "js" for file in record["files"]}
        others = [file.relative_to(self.static).as_posix() for name in SCRIPTED for file in self.static.glob(name)]
        return [self.static / file for file in sorted({*joined, *others} - {"scripts/bootstrap.js"})]

    def _cut_fonts(self, sheet: Path) -> None:
        text = sheet.read_text(encoding="utf-8")
        icons = {chr(int(code, 16)) for code in ICON.findall(text)}
        letters = _letters(self.site)
        for name in set(ADDRESS.findall(text)):
            font = self.look / name.removeprefix("./")
            if font.name.startswith("fa-"):
                cut(font, icons)
            elif font.name.startswith("source-serif"):
                cut(font, letters, WEIGHTS)


def _between(folder: Path, file: Path) -> str:
    """The path of a file as seen from a folder beside it."""
    return "../" + file.relative_to(folder.parent).as_posix()


def _pages(site: Path) -> list[Path]:
    """The pages of a site; what the theme has among its files is none."""
    return [page for page in sorted(site.rglob("*.html")) if "_static" not in page.relative_to(site).parts]


def _modern(sheet: Path) -> None:
    """Leave out of a sheet the fonts for browsers that know no WOFF2."""
    text = sheet.read_text(encoding="utf-8")
    sheet.write_text(OLD_FONT.sub("", text), encoding="utf-8")


def _letters(site: Path) -> set[str]:
    """The characters of all pages, besides those of any English page."""
    found = {chr(code) for code in range(0x20, 0x7F)}
    for page in _pages(site):
        found.update(page.read_text(encoding="utf-8"))
    return found


def cut(font: Path, characters: set[str], weights: tuple[int, int] | None = None) -> None:
    """Keep of a font these characters and, if it has all weights, those between two."""
    from fontTools import subset, ttLib
    from fontTools.varLib import instancer

    options = subset.Options(flavor="woff2", layout_features=["*"], desubroutinize=True, notdef_outline=True)
    if weights:
        whole = ttLib.TTFont(font, lazy=False)
        instancer.instantiateVariableFont(whole, {"wght": weights}, inplace=True)
        whole.save(font)
    read = subset.load_font(str(font), options)
    cutter = subset.Subsetter(options)
    cutter.populate(text="".join(sorted(characters)))
    cutter.subset(read)
    subset.save_font(read, str(font), options)


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html" and app.builder.name != "epub":
        lighten(Path(app.outdir))


def setup(app: Sphinx) -> dict[str, Any]:
    """Announce what is done after all that other extensions do with the pages."""
    app.connect("build-finished", _finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.lean", description=__doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=BUILD / "html", metavar="FOLDER", help="the site's html folder")
    lighten(parser.parse_args(arguments).site.resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
