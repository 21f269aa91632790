"""The comparison of chapter 12: its table and its tree follow from the committed runs, and these can be repeated."""

from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations

import numpy as np
import pytest

from exercises.scenarios import JUDGED_SEEDS, PACKAGED, SCENARIOS, try_out
from experiments import ch12
from experiments.ch12_tree import decision_tree
from optim_lib import tasks
from optim_lib.plotting.tree import Branch, Leaf, tree

SEEDS = np.array([0.01, -0.01, 0.004, -0.004, 0.007, -0.007, 0.0, 0.002])


def field(tests: dict[str, list[float]], task=tasks.digits_mlp) -> ch12.Field:
    rates = np.array([0.1, 0.3, 1.0])
    entrants = {
        label: ch12.Entrant(label, rates, np.array([0.5, 0.6, 0.5]), 0.3, np.array(values))
        for label, values in tests.items()
    }
    return ch12.Field(ch12.Contest(task, 10), entrants, {})


def test_standing_is_by_paired_differences_and_not_by_ranges_that_overlap():
    wide = np.array([0.05, -0.05, 0.03, -0.03, 0.04, -0.04, 0.01, -0.02])
    one = field({"a": 0.95 + SEEDS, "b": 0.951 + SEEDS, "c": 0.93 + SEEDS, "d": 0.945 + SEEDS + wide})
    assert one.best().label == "b"
    assert one.standing == {"b": "best", "a": "level", "c": "behind", "d": "open"}
    assert (one.which("best", "level"), one.which("open")) == (["a", "b"], ["d"])


def test_where_less_is_better_the_lowest_is_the_best():
    one = field({"a": 1.0 + SEEDS, "b": 3.0 + SEEDS}, tasks.regression)
    assert one.standing == {"a": "best", "b": "behind"}


def test_expected_best_is_the_mean_over_all_draws_and_a_divergence_is_the_worst():
    one = field({"a": [1.0]}, tasks.regression)
    entrant = replace(one.entrants["a"], rates=np.arange(1.0, 5.0), scores=np.array([3.0, 1.0, np.inf, 2.0]))
    found = ch12.expected_best(ch12.Field(one.contest, {"a": entrant}, {}), "a")
    scores = [3.0, 1.0, 3.0, 2.0]
    assert found == pytest.approx([np.mean([min(c) for c in combinations(scores, k)]) for k in (1, 2, 3, 4)])
    assert found[-1] == 1.0


def test_committed_runs_are_complete_and_no_best_rate_is_at_an_edge():
    fields = ch12.read_results()
    assert list(fields) == [contest.task.name for contest in ch12.CONTESTS]
    for name, one in fields.items():
        searches = one.contest.searches()
        assert list(one.entrants) == list(searches), name
        for label, entrant in one.entrants.items():
            assert entrant.rates.tolist() == searches[label].space["learning_rate"], (name, label)
            assert len(entrant.test) >= 8
            assert not entrant.at_edge, (name, label, entrant.rate)
        assert len(one.untuned["Adam"].test) >= 8


def test_committed_runs_can_be_repeated():
    contest = next(contest for contest in ch12.CONTESTS if contest.task is tasks.regression)
    committed = ch12.read_results()[contest.task.name]
    for label in ("SGD + momentum", "RMSprop"):
        search, entrant = contest.searches()[label], committed.entrants[label]
        setting = {name: value for name, value in search.space.items() if name != "learning_rate"}
        for seed in (0, 4):
            record = contest.task.run(search.optimizer(learning_rate=entrant.rate, **setting), contest.budget, seed)
            assert record.test_score == pytest.approx(entrant.test[seed], rel=1e-4)


class Outline(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.deepest, self.links, self.summaries = 0, 0, [], 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "details":
            self.open += 1
            self.deepest = max(self.deepest, self.open)
        self.summaries += tag == "summary"
        self.links += [value for name, value in attributes if name == "href"]

    def handle_endtag(self, tag):
        self.open -= tag == "details"


def test_tree_opens_without_code_and_leads_to_the_course():
    piece = decision_tree(ch12.read_results())
    outline = Outline(piece.html)
    assert (outline.open, outline.deepest) == (0, 3)
    assert outline.summaries == 1 + 4 + 11
    assert "<script" not in piece.html
    assert "onclick" not in piece.html
    assert {link.split("#")[0] for link in outline.links} >= {"06_adagrad.html", "10_advanced.html", "claims.html"}
    assert repr(piece).count("Measured:") == 10


def test_tree_escapes_what_it_shows():
    leaf = Leaf("a < b", "x & y", "ok", "good", [("<i>", "1 < 2")], [("go", 'p.html?"')])
    html = tree(Branch("top", [leaf]), label='"tree"').html
    assert "a &lt; b" in html
    assert "x &amp; y" in html
    assert "1 &lt; 2" in html
    assert 'href="p.html?&quot;"' in html
    assert 'aria-label="&quot;tree&quot;"' in html


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_default_meets_a_scenario(name):
    for optimizer in ("SGD", "MomentumSGD", "NesterovMomentum", "AdaGrad", "RMSprop", "Adam", "AdamW", "LAMB", "NAdam"):
        assert optimizer in PACKAGED
        assert not try_out(name, optimizer, {}, "constant", JUDGED_SEEDS).loss < SCENARIOS[name].target, optimizer


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rare word", "SGD", {}, "constant"), "'rare word' is not one of"),
        (("rare words", "Adma", {}, "constant"), "'Adma' is not one of"),
        (("rare words", "SGD", {}, "linear"), "'linear' is not one of"),
        (("rare words", "SGD", {"momentum": 0.9}, "constant"), "'momentum' is not a hyperparameter of SGD"),
        (("rare words", "SGD", {"learning_rate": -1.0}, "constant"), "learning_rate"),
    ],
)
def test_scenario_refuses_nonsense_with_the_name(arguments, words):
    with pytest.raises(ValueError, match=words):
        try_out(*arguments)
