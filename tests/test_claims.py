"""The claims ledger: every claim has its numbers, its place in a chapter, its sources, and a verdict that follows."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.claims import VERDICTS, Results, __main__, load_ledger, page
from experiments.claims.experiments import EXPERIMENTS, keeping_runs
from experiments.claims.ledger import PLACE
from experiments.claims.results import FOLDER

ROOT = Path(__file__).parents[1]
LEDGER = load_ledger()
MEASURED = [claim for claim in LEDGER if claim.is_measured]
BY_ID = {claim.id: claim for claim in LEDGER}
# Each takes less than a second to measure again. The last two read the comparison of chapter 12.
QUICK = (
    "c-saddle-flat", "c-zigzag", "c-ravine", "c-average", "c-overshoot", "c-bias", "c-pathological", "c-sgd-l2",
    "c-uneven-decay", "c-default", "c-rates",
)  # fmt: skip


def ids(claims):
    return [claim.id for claim in claims]


def test_the_ledger_has_the_claims_and_all_leaves_of_the_tree():
    assert len(LEDGER) >= 25
    assert {claim.leaf for claim in LEDGER if claim.leaf} == set(page.TREE)
    assert {claim.section for claim in LEDGER} == set(range(1, 13))


def test_every_measured_claim_has_an_experiment_and_results_and_the_other_way_round():
    measured = {claim.id for claim in MEASURED}
    assert measured == EXPERIMENTS.keys()
    assert measured == {path.stem for path in FOLDER.glob("c-*.csv")}


@pytest.mark.parametrize("claim", LEDGER, ids=ids(LEDGER))
def test_the_chapter_has_the_cell_that_tests_the_claim(claim):
    path = ROOT / "chapters" / f"{claim.chapter}.ipynb"
    if claim.is_measured:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert claim.cell in {cell["id"] for cell in cells if cell["cell_type"] == "code"}
        assert page.heading_of(claim.chapter, claim.cell)


@pytest.mark.parametrize("claim", LEDGER, ids=ids(LEDGER))
def test_the_sources_are_in_the_bibliography(claim):
    keys = set(re.findall(r"^@\w+\{([^,]+),", (ROOT / "chapters/references.bib").read_text(encoding="utf-8"), re.M))
    assert claim.cited
    assert set(claim.cited) <= keys


@pytest.mark.parametrize("claim", LEDGER, ids=ids(LEDGER))
def test_every_number_of_the_sentence_is_in_the_results(claim):
    assert claim.verdict in VERDICTS
    assert claim.is_measured == bool(PLACE.search(claim.measured))
    sentence = claim.sentence()
    assert sentence
    assert not set("{}") & set(sentence)
    assert "nan" not in sentence
    assert len(claim.evidence()) == len(claim.contrasts)


@pytest.mark.parametrize("claim", MEASURED, ids=ids(MEASURED))
def test_comparisons_are_fair_and_remarks_are_true(claim):
    assert claim.how
    assert claim.broken() == []


@pytest.mark.parametrize("claim", MEASURED, ids=ids(MEASURED))
def test_every_metric_of_the_table_is_judged_or_told(claim):
    """A metric that both sides of a contrast have, and that says the opposite, is named on the page."""
    for outcome, line in zip(claim.outcomes, claim.evidence(), strict=True):
        for metric in outcome.other_way():
            assert f"By {metric}:" in line


def test_a_verdict_cannot_be_written(tmp_path):
    text = (ROOT / "experiments/claims/ledger.yaml").read_text(encoding="utf-8")
    assert "verdict:" not in text
    file = tmp_path / "ledger.yaml"
    file.write_text(text.replace("  section: 1\n", "  section: 1\n  verdict: holds here\n", 1), encoding="utf-8")
    with pytest.raises(ValueError, match="c-minimum: a verdict is worked out"):
        load_ledger(file)


WORDS_OF_VERDICTS = ("holds here", "holds partly", "does not hold here", "no difference here", "not testable here")


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_chapter_writes_a_verdict(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = " ".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown").lower()
    assert [words for words in WORDS_OF_VERDICTS if words in " ".join(prose.split())] == []


def test_conclusion_tree_and_ledger_say_the_same():
    from experiments import ch12
    from experiments.ch12_tree import decision_tree

    told = page.what_held()
    for claim in LEDGER:
        if claim.brief:
            (line,) = (line for line in told.splitlines() if f"claims.html#{claim.id})" in line)
            assert line.startswith(f"- {page.badge(claim.verdict)} ")
    tree = repr(decision_tree(ch12.read_results()))
    leaves = [claim for claim in LEDGER if claim.leaf]
    assert sorted(re.findall(r"\[([a-z ]+)\]$", tree, re.M)) == sorted(claim.verdict for claim in leaves)


@pytest.mark.parametrize("name", QUICK)
def test_measured_again_a_claim_gives_the_committed_numbers(name):
    again, committed = EXPERIMENTS[name](), BY_ID[name].results
    assert again.values.keys() == committed.values.keys()
    for key, values in committed.values.items():
        assert again.values[key].keys() == values.keys()
        np.testing.assert_allclose(list(again.values[key].values()), list(values.values()), rtol=1e-5, atol=1e-12)


def test_other_numbers_give_another_verdict(tmp_path):
    (claim,) = (claim for claim in load_ledger(folder=tmp_path) if claim.id == "c-zigzag")
    results = Results.read("c-zigzag")
    results.write("c-zigzag", tmp_path)
    assert claim.verdict == "holds here"
    for condition in (10, 100, 1000):
        results.add(f"condition {condition}", "flips", 3)
    results.add("condition 1000", "steps", 400)
    results.write("c-zigzag", tmp_path)
    assert claim.verdict == "does not hold here"
    assert [problem.split("'")[1] for problem in claim.broken()] == ["in proportion"]


@pytest.mark.parametrize(
    ("value", "how", "text"),
    [
        (0.0312, ".1%", "3.1%"),
        (-0.0312, ".1%", "\u22123.1%"),
        (-5e-7, ".1%", "0.0%"),
        (3.2e-16, ".0e", "3\u202f\u00d7\u202f10\u207b\u00b9\u2076"),
        (np.inf, ".0f", "never"),
        (10.0, "g", "10"),
    ],
)
def test_numbers_read_well(value, how, text, tmp_path):
    results = Results()
    results.add("a", "b", value)
    results.write("c-zigzag", tmp_path)
    (claim,) = (claim for claim in load_ledger(folder=tmp_path) if claim.id == "c-zigzag")
    assert replace(claim, measured=f"It is {{a/b:{how}}}.").sentence() == f"It is {text}."


def test_results_survive_a_round_trip(tmp_path):
    results = Results()
    results.add("a, b", "test", [0.1234567891, np.inf], seeds=(3, 5))
    results.add("a, b", "rate", 1e-5)
    results.write("c-x", tmp_path)
    read = Results.read("c-x", tmp_path)
    assert read.values == {("a, b", "test"): {"3": 0.123457, "5": np.inf}, ("a, b", "rate"): {"": 1e-5}}
    assert (read.seeds("a, b", "test"), read.seeds("a, b", "rate")) == (2, 0)
    assert list(tmp_path.iterdir()) == [tmp_path / "c-x.csv"]
    with pytest.raises(KeyError, match="there are: a, b/test; a, b/rate"):
        read.get("a, b", "speed")


def test_results_of_another_claim_are_refused(tmp_path):
    results = Results()
    results.add("a", "b", 1)
    results.write("c-x", tmp_path).rename(tmp_path / "c-y.csv")
    with pytest.raises(ValueError, match="'c-x'"):
        Results.read("c-y", tmp_path)


def test_a_ledger_with_an_id_twice_is_refused(tmp_path):
    text = (ROOT / "experiments/claims/ledger.yaml").read_text(encoding="utf-8")
    file = tmp_path / "ledger.yaml"
    file.write_text(text.replace("id: c-stuck", "id: c-rate", 1), encoding="utf-8")
    with pytest.raises(ValueError, match="twice: c-rate"):
        load_ledger(file)


def one_number(value):
    results = Results()
    results.add("a", "b", value)
    return results


def test_a_pass_that_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    calls, broken = [], [True]

    def experiment(name):
        def run():
            calls.append(name)
            if name == "c-two" and broken:
                raise KeyboardInterrupt
            return one_number(len(calls))

        return run

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(__main__, "EXPERIMENTS", {name: experiment(name) for name in ("c-one", "c-two", "c-three")})
    with pytest.raises(KeyboardInterrupt):
        __main__.main(["--to", "results"])
    broken.clear()
    assert __main__.main(["--to", "results"]) == 0
    assert calls == ["c-one", "c-two", "c-two", "c-three"]
    assert "1 of 3 claims are done" in capsys.readouterr().out
    assert sorted(path.name for path in Path("results").iterdir()) == ["c-one.csv", "c-three.csv", "c-two.csv"]
    assert not Path("_build/claims").exists()


def test_naming_claims_measures_only_these(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert __main__.main(["c-zigzag", "--to", "results"]) == 0
    assert [path.name for path in Path("results").iterdir()] == ["c-zigzag.csv"]
    with pytest.raises(SystemExit):
        __main__.main(["c-nonsense"])
    assert "there is no experiment for c-nonsense" in capsys.readouterr().err


def test_a_sentence_that_no_longer_holds_is_reported(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def otherwise():
        results = Results.read("c-zigzag")
        results.add("condition 1000", "steps", 400)
        return results

    monkeypatch.setitem(EXPERIMENTS, "c-zigzag", otherwise)
    assert __main__.main(["c-zigzag", "--to", "results"]) == 1
    assert "c-zigzag: 'in proportion'" in capsys.readouterr().out


def test_runs_of_a_comparison_are_kept_while_a_pass_lasts(tmp_path):
    from experiments.claims.experiments import contest
    from optim_lib import tasks
    from optim_lib.optimizers import SGD
    from optim_lib.training import Search

    with keeping_runs(tmp_path):
        contest(Results(), {"SGD": Search(SGD, learning_rate=0.1)}, tasks.regression, trials=1, budget=3)
    assert [path.suffix for path in tmp_path.iterdir() if path.suffix == ".csv"] == [".csv"]
    kept = [path.read_bytes() for path in tmp_path.glob("*.csv")]
    contest(Results(), {"SGD": Search(SGD, learning_rate=0.2)}, tasks.regression, trials=1, budget=3)
    assert [path.read_bytes() for path in tmp_path.glob("*.csv")] == kept


def test_a_chapter_shows_verdicts_in_a_table_that_leads_to_the_ledger():
    first, second = LEDGER[:2]
    rows = page.verdicts(second.id, first.id)._repr_html_().split("<tr>")[2:]
    for claim, row in zip((second, first), rows, strict=True):
        assert row.startswith(f'<td><a href="claims.html#{claim.id}">')
        assert page.badge(claim.verdict) in row


def test_the_page_shows_every_claim_with_its_anchor_and_its_verdict():
    text = "".join(page.section(number) for number in range(1, 13))
    for claim in LEDGER:
        assert text.count(f"({claim.id})=") == 1
        assert f"**{claim.claim}** {page.badge(claim.verdict)}" in text
    sections = re.findall(r"page\.section\((\d+)\)", (ROOT / "chapters/claims.md").read_text(encoding="utf-8"))
    assert sections == [str(number) for number in range(1, 13)]
    assert f"**{len(LEDGER)} claims.**" in page.summary()
    tree = page.decision_tree()
    assert [leaf for leaf in page.TREE if f"| {leaf} |" not in tree] == []
