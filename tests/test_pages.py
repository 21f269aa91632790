"""What is done with a page after it is written."""

from __future__ import annotations

from pathlib import Path

import yaml
from docutils import nodes

from tools import pages


def test_inline_scripts_become_files():
    kept = {}

    def write(script: str) -> str:
        kept[script] = f"_static/inline/{len(kept)}.js"
        return kept[script]

    page = '<script>let a = 1;</script><script src="b.js"></script><script type="application/json">{}</script>'
    done = pages.scripts_as_files(page + '<button onclick="window.print()">', write)
    assert kept == {"let a = 1;": "_static/inline/0.js"}
    assert done == (
        '<script src="_static/inline/0.js"></script><script src="b.js"></script>'
        '<script type="application/json">{}</script><button data-print>'
    )


def test_a_mark_stays_with_the_formula_before_it():
    page = '<p>the rate <span class="math"><math><mi>η</mi></math></span>, and <span class="math"><math/></span> b</p>'
    held = pages.with_marks_held(page)
    assert '<span class="uo-held"><span class="math"><math><mi>η</mi></math></span>,</span> and' in held
    assert held.count("uo-held") == 1


def test_a_bracket_and_an_ending_stay_with_their_formula():
    formula = '<span class="math"><math><mi>k</mi></math></span>'
    held = pages.with_marks_held(f"<p>each ({formula} of them), the {formula}-th, a {formula} b</p>")
    assert f'<span class="uo-held">({formula}</span> of' in held
    assert f'<span class="uo-held">{formula}-th</span>,' in held
    assert held.count("uo-held") == 2


def test_apostrophes_are_typographic_in_words_and_stay_in_code():
    code = "<code>d['a']</code><pre><b>x</b>'s</pre><script>const it = 'a's</script><i title=\"Adam's\">'the</i>"
    page = "<p>Adam's step, <em>SGD</em>'s, O&#x27;Donoghue's, the runs' mean</p>"
    curled = page.replace("&#x27;", "'").replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
    assert pages.with_apostrophes(page + code) == curled + code


def test_cells_of_a_table_carry_their_heading_and_their_range():
    table = (
        "<table><thead><tr><th>rule</th><th>loss</th><th>steps</th><th>rate</th></tr></thead>"
        "<tbody><tr><th>SGD</th><td>0.09 (0.08 to 0.11)</td><td>7</td><td>0.1</td></tr></tbody></table>"
    )
    done = pages.for_a_phone(table)
    assert '<td data-label="loss">0.09 <span class="uo-range">(0.08 to 0.11)</span></td>' in done
    assert '<td data-label="steps">7</td>' in done
    assert 'class="uo-stacks"' in done
    assert 'class="uo-stacks"' not in pages.for_a_phone(table.replace("<th>rate</th>", "").replace("<td>0.1</td>", ""))


def test_a_table_of_the_text_stacks_too():
    row = "".join(f"<td><p>{k}</p></td>" for k in "abcd")
    head = "".join(f'<th class="head"><p>{k}</p></th>' for k in "ABCD")
    table = f'<table class="table">\n<thead>\n<tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>'
    done = pages.finished(f'<div class="pst-scrollable-table-container">{table}</div>', str)
    assert done.startswith('<div class="pst-scrollable-table-container" tabindex="0" ')
    assert '<table class="table uo-stacks">' in done
    assert '<td data-label="D"><p>d</p></td>' in done
    assert pages.finished(done, str) == done


def test_a_chapter_says_how_long_it_takes_and_what_it_needs():
    document = nodes.document(None, None)
    document += [nodes.paragraph(text="word " * 500), nodes.paragraph(text="word " * 1500)]
    assert pages.about(document, "chapters 4 & 7") == (
        '<p class="uo-about">About 10 minutes of reading, besides the figures and the exercises. '
        "You need chapters 4 &amp; 7.</p>"
    )


def test_every_chapter_says_what_it_needs():
    needed = yaml.safe_load(pages.NEEDED.read_text(encoding="utf-8"))
    assert sorted(needed) == sorted(path.stem for path in Path("chapters").glob("*.ipynb"))


def test_a_word_of_the_glossary_carries_what_it_means():
    glossary = '<dl class="glossary"><dt id="term-rate">rate</dt><dd><p>How far\na "step" goes.</p></dd></dl>'
    page = '<a class="reference internal" href="glossary.html#term-rate">rate</a>'
    explained = pages.with_terms_explained(page, pages.definitions(glossary))
    assert 'data-said="How far a &quot;step&quot; goes."' in explained
    assert pages.with_terms_explained(page, {}) == page


def test_a_chapter_can_be_cited():
    cited = pages.cited("8 Adam: the best of both worlds")
    assert "title = {Adam: the best of both worlds}" in cited
    assert "chapter = {8}" in cited


def test_an_empty_corner_of_a_table_is_no_heading():
    head, body = "<tr><th scope='col'></th><th>a</th></tr>", "<tr><th>r</th><td>1</td></tr>"
    done = pages.for_a_phone(f"<table><thead>{head}</thead><tbody>{body}</tbody></table>")
    assert "<thead><tr><td></td><th>a</th></tr>" in done


def test_parameters_of_a_signature_are_no_list_of_terms():
    signature = '<dl>\n<dd><em class="sig-param">a</em>,</dd>\n<dd><em class="sig-param">b</em></dd>\n</dl>'
    done = pages.named_as_shown(signature)
    assert "<dl>" not in done
    assert done.count("<div>") == 2


HUB = "https://github.com/someone/course"


def test_a_page_can_be_edited_reported_and_run_where_a_repository_is_named():
    html = pages.elsewhere(f"{HUB}.git", "trunk", "chapters/08_adam.ipynb")
    assert f'<a href="{HUB}/edit/trunk/chapters/08_adam.ipynb">Edit this page</a>' in html
    assert f'<a href="{HUB}/issues/new?title=Error%20in%20chapters%2F08_adam.ipynb">Report an error</a>' in html
    assert "https://colab.research.google.com/github/someone/course/blob/trunk/chapters/08_adam.ipynb" in html
    assert "https://mybinder.org/v2/gh/someone/course/trunk?urlpath=lab/tree/chapters/08_adam.ipynb" in html


def test_a_text_is_not_run_and_another_host_is_no_hub():
    assert "Colab" not in pages.elsewhere(HUB, "main", "chapters/glossary.md")
    lab = pages.elsewhere("https://gitlab.example.org/group/course/", "main", "chapters/08_adam.ipynb")
    assert "https://gitlab.example.org/group/course/-/edit/main/chapters/08_adam.ipynb" in lab
    assert "Colab" not in lab
    assert "github" not in lab


def test_without_a_repository_there_are_no_links():
    assert pages.elsewhere("", "main", "chapters/08_adam.ipynb") == ""
