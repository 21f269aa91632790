"""Formulas are set when the book is built: each is understood, or the build ends with a sentence."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from optim_lib.pages import inline
from tools import formulas


@pytest.fixture(scope="module")
def typesetter():
    made = formulas.Typesetter()
    yield made
    made.close()


def test_a_formula_becomes_mathml(typesetter):
    inline = typesetter(r"\frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}", False)
    assert inline.startswith("<math")
    assert "<mfrac>" in inline
    assert "<msqrt>" in inline
    assert 'display="block"' in typesetter("x", True)


def test_what_is_not_understood_is_told_with_the_formula(typesetter):
    with pytest.raises(ValueError, match=r"formula '\\\\notacommand' is not understood"):
        typesetter(r"\notacommand", False)
    assert typesetter("x", False)  # and the next one is set


@pytest.mark.parametrize(
    ("source", "tex"),
    [
        ("a = b", "a = b"),
        (r"a &= b \\ c &= d", r"\begin{aligned}a &= b \\ c &= d\end{aligned}"),
        ("a\n\nb", r"\begin{aligned}a \\ b\end{aligned}"),
        (r"\begin{pmatrix}a \\ b\end{pmatrix}", r"\begin{pmatrix}a \\ b\end{pmatrix}"),
    ],
)
def test_lines_of_a_displayed_formula_are_aligned(source, tex):
    assert formulas.displayed(source) == tex


def test_the_font_has_what_the_pages_use_and_what_a_browser_draws_by_itself(tmp_path: Path):
    (tmp_path / "page.html").write_text("<p>ß</p><math><msqrt><mi>θ</mi></msqrt><mo>∇</mo></math>", encoding="utf-8")
    formulas.write_font(tmp_path, tmp_path / "out")
    font = TTFont(BytesIO((tmp_path / "out" / "STIXTwoMath.woff2").read_bytes()))
    characters = set(map(chr, font.getBestCmap()))
    assert {"θ", "∇", "√", "\U0001d703"} <= characters
    assert "ß" not in characters
    assert "MATH" in font
    assert "url('./STIXTwoMath.woff2')" in (tmp_path / "out" / "formulas.css").read_text(encoding="utf-8")


ROOTS = """
() => [...document.querySelectorAll("msqrt")].map((root) => {
    const [box, last] = [root.getBoundingClientRect(), root.lastElementChild.getBoundingClientRect()];
    return [box.right - last.right, box.bottom - document.querySelector("b").getBoundingClientRect().bottom];
})
"""


def test_a_root_ends_where_its_line_ends_and_does_not_hang_below(browser, typesetter, tmp_path: Path):
    roots = "".join(typesetter(tex, False) for tex in (r"\sqrt\kappa", r"\sqrt{1-\beta_2^t}"))
    (tmp_path / "page.html").write_text(roots, encoding="utf-8")
    formulas.write_font(tmp_path, tmp_path)
    sheet = '<link rel="stylesheet" href="formulas.css">'
    baseline = '<b style="display: inline-block; width: 1px; height: 1px"></b>'
    text = f'<!doctype html>{sheet}<p style="font-size: 20px">{baseline}{roots}</p>'
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.evaluate("document.fonts.ready.then(() => null)")
    (behind, below), (behind_high, _) = page.evaluate(ROOTS)
    page.close()
    assert abs(behind) < 1
    assert abs(behind_high) < 1
    assert below < 8


def test_a_formula_in_an_output_is_set_too(typesetter):
    done = formulas.set_in_outputs(inline(r"the rate $2/\lambda$, and *not* more"), typesetter)
    assert r"\(" not in done
    assert "<math>" in done
    assert "λ" in done
