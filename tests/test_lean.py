"""What is left of a page's style sheets, scripts and fonts when the site is made light: all that is used, once."""

from __future__ import annotations

import re
import shutil

import pytest
from fontTools.ttLib import TTFont

from tools import lean, pages, site_assets
from tools.build_book import BUILD

HEAD = """<html data-theme="light"><head>
<script data-cfasync="false" src="../_static/mode.js"></script>
<meta name="color-scheme" content="light dark" />
<link href="../_static/theme.css" rel="stylesheet" />
<link rel="stylesheet" type="text/css" href="../_static/site.css?v=1" />
<script src="../_static/one.js?v=2"></script>
<script defer="defer" src="../_static/two.js"></script>
<script defer="defer" src="../_static/widgets/widgets.js"></script>
<script src="../_static/three.js"></script>
<link rel="icon" href="../_static/favicon.svg"/></head>
<body><main class="used"><i class="fa-solid fa-check"></i></main>
<script defer src="../_static/last.js"></script></body></html>"""
FILES = {
    "mode.js": "document.documentElement.dataset.mode = 'x';",
    "theme.css": ".used{color:red}.unused{color:blue}.given{color:green}"
    "[data-theme=dark] .used{color:pink}@font-face{font-family:Icons;src:url(fa-solid.woff2),url(old.ttf) format('x')}"
    '.fa-solid{font-family:Icons}.fa-check:before{content:"\\f00c"}.fa-ghost:before{content:"\\f6e2"}',
    "site.css": ".mine-though-unused{color:gold}",
    "ahead.js": "",
    "one.js": "const shared = 1; document.body.classList.add('given');",
    "two.js": "globalThis.second = shared + 1;",
    "three.js": "globalThis.third = 3;",
    "last.js": "globalThis.last = 4;",
    "widgets/widgets.js": "",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of one page, made light."""
    site = tmp_path_factory.mktemp("site")
    for name, text in {**FILES, "../chapters/page.html": HEAD}.items():
        path = site / "_static" / name
        (site / "_static" / "widgets").mkdir(parents=True, exist_ok=True)
        (site / "chapters").mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    theme = site_assets.install(BUILD) / "@fontsource-variable" / "source-serif-4" / "files"
    shutil.copyfile(theme / "source-serif-4-latin-wght-normal.woff2", site / "_static" / "fa-solid.woff2")
    lean.lighten(site)
    return site


def page(site) -> str:
    return (site / "chapters" / "page.html").read_text(encoding="utf-8")


def linked(site, kind: str) -> list[str]:
    addresses = re.findall(rf'(?:href|src)="\.\./(_static/look/\w+\.{kind})\?v=\w+"', page(site))
    return [(site / address).read_text(encoding="utf-8") for address in addresses]


def test_one_sheet_has_what_pages_and_scripts_name_and_all_of_ours(site):
    (sheet,) = linked(site, "css")
    for name in ("used", "given", "mine-though-unused", "data-theme", "fa-check"):
        assert name in sheet, name
    for name in ("unused{", "fa-ghost", ".ttf"):
        assert name not in sheet.replace("mine-though-unused", ""), name
    assert page(site).count('rel="stylesheet"') == 1


def test_scripts_in_a_row_are_one_in_their_order_and_hold_up_nothing(site):
    first, second, third, last = linked(site, "js")
    assert "mode" in first
    assert second.index("shared=1") < second.index("second")
    assert "third" in third
    assert "last" in last
    tags = re.findall(r"<script[^>]*>", page(site))
    assert [("defer" in tag) for tag in tags] == [False, True, True, True, True]
    assert "widgets/widgets.js" in tags[2]


def test_done_again_nothing_changes_but_what_a_file_says(site):
    before = page(site)
    lean.lighten(site)
    assert page(site) == before
    (site / "_static" / "two.js").write_text("globalThis.second = 'another';", encoding="utf-8")
    lean.lighten(site)
    assert page(site) != before, "a browser would keep the old file"
    assert "another" in linked(site, "js")[1]


def test_a_font_keeps_the_characters_and_weights_in_use(tmp_path):
    name = "source-serif-4-latin-wght-normal.woff2"
    font = tmp_path / name
    shutil.copyfile(site_assets.install(BUILD) / "@fontsource-variable" / "source-serif-4" / "files" / name, font)
    before = font.stat().st_size
    lean.cut(font, set("Adam \N{THIN SPACE}"), (400, 700))
    after = TTFont(font)
    assert set(map(chr, after.getBestCmap())) == set("Adam \N{THIN SPACE}")
    assert [(axis.minValue, axis.maxValue) for axis in after["fvar"].axes] == [(400, 700)]
    assert font.stat().st_size < before / 4


def test_what_a_script_would_write_stands_in_the_page():
    written = "<script>\ndocument.write(`\n <button>Search</button>\n`);\n</script>"
    assert "<button>Search</button>" in pages.scripts_as_files(written, lambda script: "x.js")
    assert "script" not in pages.scripts_as_files(written, lambda script: "x.js")
    computed = "<script>document.write(`${1 + 1}`);</script>"
    assert pages.scripts_as_files(computed, lambda script: "x.js") == '<script src="x.js"></script>'
