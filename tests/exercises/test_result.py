"""Results read well as text and as HTML, are well formed, tell their states apart, and never vary."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from exercises import all_exercises, check, get, hint, progress, solution, student
from exercises.definition import load
from exercises.grading import grade
from exercises.result import STATUSES, Progress, Standing, prose, stylesheet

VOID = {"br", "hr", "img", "meta", "path", "circle"}


class Tree(HTMLParser):
    """Refuses HTML that is not well formed; collects ids, tags and text."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(html)
        self.close()
        assert self.open == [], f"not closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes), "an attribute twice"
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] != "style":
            self.text += data


STATE_SOURCES = {
    "not attempted": "def halve(values):\n    return ...",
    "wrong": "def halve(values):\n    return abs(values) + 7",
    "partial": "def halve(values):\n    print('<b>')\n    return abs(values) / 2",
    "right": "def halve(values):\n    return values / 2",
    "error": "def halve(values):\n    return values < '<script>'.x",
}


@pytest.fixture(params=STATUSES)
def result(request, toy):
    result = grade(toy, load(STATE_SOURCES[request.param], "halve", toy.setup))
    assert result.status == request.param
    return result


def test_html_is_well_formed_and_escaped(result):
    tree = Tree(result._repr_html_())
    assert not [tag for tag, _ in tree.tags if tag in ("script", "b", "&")]
    assert "Halves <&>" in tree.text


def test_text_and_html_say_the_same(result):
    tree = Tree(result._repr_html_())
    text = " ".join(repr(result).replace("`", "").split())
    html = " ".join(tree.text.split())
    for sentence in result.feedback:
        assert sentence.replace("`", "") in text
        assert sentence.replace("`", "") in html
    assert f"{result.points} of {result.max_points} points" in text
    assert f"{result.points} of {result.max_points} points" in html


def test_html_has_a_label_that_says_state_and_points(result):
    _, attributes = Tree(result._repr_html_()).tags[0]
    assert attributes["role"] == "group"
    assert attributes["aria-label"].startswith("Exercise 99.1: ")
    assert attributes["aria-label"].endswith(f"{result.points} of 3 points")


def test_lines_of_text_fit_a_terminal(result):
    assert max(map(len, repr(result).splitlines())) <= 100


def test_states_differ_by_word_and_by_mark_not_by_color_alone(toy):
    results = [grade(toy, load(source, "halve", toy.setup)) for source in STATE_SOURCES.values()]
    marks = {re.search(r"<svg.*?</svg>", result._repr_html_())[0] for result in results}
    words = {re.search(r"<strong>(.*?)</strong>", result._repr_html_())[1] for result in results}
    text_marks = {repr(result)[:3] for result in results}
    assert len(marks) == len(words) == len(text_marks) == len(STATUSES)


def test_the_same_answer_gives_the_same_html_every_time(toy):
    for source in STATE_SOURCES.values():
        pages = {grade(toy, load(source, "halve", toy.setup))._repr_html_() for _ in range(2)}
        assert len(pages) == 1


def test_no_address_or_temporary_path_gets_into_an_output(toy):
    source = "def halve(values):\n    raise ValueError(object)"
    assert not re.search(r"0x[0-9a-f]{4}|/tmp|<answer", repr(grade(toy, load(source, "halve", toy.setup))))


def test_the_same_sentence_is_said_once(toy):
    result = grade(toy, load("def halve(values):\n    return undefined", "halve", toy.setup))
    assert repr(result).count("NameError") == 1
    assert "The same as above." in repr(result)


def test_full_marks_come_with_the_explanation_and_others_with_the_way_to_a_hint(toy):
    assert "A half is one of two equal parts." in repr(grade(toy, toy.load(toy.solution)))
    assert 'hint("99.1")' in repr(grade(toy, lambda values: values))
    assert "Replace the `...` in `halve`" in repr(grade(toy, ...))


def test_a_starter_without_an_ellipsis_is_to_be_mended(toy_with):
    exercise = toy_with(starter="def halve(values):\n    return values * 2")
    assert "Mend `halve`" in repr(grade(exercise, exercise.load(exercise.starter)))


def test_much_printing_is_cut(toy):
    source = "def halve(values):\n    for k in range(100):\n        print('line', k)\n    return values"
    result = grade(toy, load(source, "halve", toy.setup))
    assert "... and 88 more lines" in repr(result)
    assert "line 50" not in repr(result)
    assert "<details>" in result._repr_html_()


def test_stylesheet_is_small_scoped_and_knows_the_dark_themes():
    css = stylesheet()
    assert len(css) < 5000
    assert "\n" not in css
    for selector in ("html[data-theme=dark]", "[data-jp-theme-light=false]", ".vscode-dark"):
        assert selector in css
    for rule in re.findall(r"([^{}]+)\{", css):
        assert all(".uo-" in selector for selector in rule.split(",")), rule


def luminance(color):
    channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def test_every_color_of_text_has_contrast_in_both_themes():
    """WCAG AA: 4.5 to 1 on the card and on code."""
    for theme in re.findall(r"\{(--uo-ink:[^}]*)\}", stylesheet().replace("color:var(--uo-ink)", "}")):
        colors = dict(re.findall(r"--uo-(\w+):(#\w+)", theme))
        colors = {name: c if len(c) == 7 else "#" + "".join(2 * x for x in c[1:]) for name, c in colors.items()}
        for ground in ("paper", "code"):
            for name in ("ink", "soft", "go", "no", "mid", "err"):
                light, dark = sorted((luminance(colors[name]), luminance(colors[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


def test_prose_marks_code_and_escapes():
    assert prose("`a < b` & c") == "<code>a &lt; b</code> &amp; c"


# hint and solution


def test_hints_come_one_by_one_and_say_how_many_are_left():
    exercise = get("8.2")
    texts = [hint("8.2") for _ in range(len(exercise.hints) + 1)]
    assert [h.text for h in texts] == [*exercise.hints, exercise.hints[-1]]
    assert "2 hints left" in repr(texts[0])
    assert "1 hint left" in repr(texts[1])
    assert 'That was the last hint; `solution("8.2")`' in repr(texts[-1])


def test_a_given_hint_is_shown_and_the_next_follows_it():
    assert hint("8.2", 2).number == 2
    assert hint("8.2").number == 3


@pytest.mark.parametrize("number", [0, 9, 1.5, True, "1"])
def test_a_hint_that_does_not_exist_is_refused(number):
    with pytest.raises(ValueError, match=r"exercise 8\.2 has hints 1 to 3, got"):
        hint("8.2", number)


@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda exercise: exercise.id)
def test_hint_and_solution_are_well_formed(exercise):
    for number in range(1, len(exercise.hints) + 1):
        tree = Tree(hint(exercise.id, number)._repr_html_())
        assert exercise.hints[number - 1].replace("`", "") in tree.text
    shown = solution(exercise.id)
    assert exercise.solution in Tree(shown._repr_html_()).text
    assert exercise.solution.splitlines()[-1] in repr(shown)


# progress


def test_progress_shows_points_and_states():
    exercise = get("8.1")
    check("8.1", exercise.load(exercise.solution))
    check("8.2", lambda *arguments: None)
    shown = progress()
    assert shown.points == 3
    assert "8.1 [+]" in repr(shown)
    assert "8.2 [x]" in repr(shown)
    assert "8.3 [ ]" in repr(shown)
    tree = Tree(shown._repr_html_())
    assert "8.1 right, 3 of 3" in " ".join(tree.text.split())
    assert ("th", {"scope": "row"}) in tree.tags
    assert "caption" in [tag for tag, _ in tree.tags]


def test_points_reached_after_the_solution_are_marked():
    exercise = get("8.1")
    solution("8.1")
    check("8.1", exercise.load(exercise.solution))
    assert "8.1 [+]*" in repr(progress())
    assert "* reached after the solution was shown" in repr(progress())
    assert "right, 3 of 3, after the solution was shown" in progress()._repr_html_()


def test_points_reached_before_the_solution_are_not_marked():
    exercise = get("8.1")
    check("8.1", exercise.load(exercise.solution))
    solution("8.1")
    check("8.1", exercise.load(exercise.solution))
    assert "*" not in repr(progress())


def test_progress_of_nothing_and_of_every_state(toy):
    assert Tree(Progress([])._repr_html_())
    assert "0 of 0" in repr(Progress([]))
    standings = [Standing(toy, points, status) for points, status in zip((0, 0, 2, 3, 0), STATUSES, strict=True)]
    shown = Progress([(99, "Halves", standings)])
    assert Tree(shown._repr_html_())
    assert "5 of 15" in repr(shown)


def test_an_exercise_that_has_changed_never_shows_more_points_than_it_has(monkeypatch):
    entry = {"8.1": {"points": 50, "status": "right"}, "8.2": {"points": 1, "status": "right"}}
    monkeypatch.setattr(student.record, "load", lambda: (entry, ""))
    shown = progress()
    assert shown.points == get("8.1").points + 1
    assert "8.2 [~]" in repr(shown)


def test_output_of_check_does_not_depend_on_earlier_progress():
    answer = get("8.1").load(get("8.1").solution)
    first = check("8.1", answer)
    solution("8.1")
    again = check("8.1", answer)
    assert (repr(first), first._repr_html_()) == (repr(again), again._repr_html_())
