"""The rule of the claims ledger, on made-up data of each kind."""

from itertools import product

import numpy as np
import pytest

from experiments.claims import Results
from experiments.claims.rule import ALPHA, Contrast, holm, judge, sign_flip, verdict

WIDE = np.array([3.0, -2.0, 1.5, -2.5, 2.0, -1.0, 0.5, -1.5, 2.5, -2.0]) / 100


def measured(metric="test accuracy", edge=(0, 0), tried=(7, 7), **settings):
    results = Results()
    for (name, values), at_edge, count in zip(settings.items(), edge, tried, strict=True):
        results.add(name, metric, values)
        results.add(name, "at the edge", at_edge)
        results.add(name, "settings tried", count)
    return results


def word(differences, expects="higher", metric="test accuracy", margin=None, base=0.9, **how):
    differences = np.asarray(differences, dtype=float)
    results = measured(metric, a=base + differences, b=np.full(differences.shape, base), **how)
    return judge([Contrast("x", f"a/{metric}", f"b/{metric}", expects, margin=margin)], results)[0].word


@pytest.mark.parametrize(
    ("differences", "expects", "says"),
    [
        (0.03 + WIDE / 10, "higher", "for"),
        (0.03 + WIDE / 10, "lower", "against"),
        (-0.03 + WIDE / 10, "higher", "against"),
        (-0.03 + WIDE / 10, "lower", "for"),
        (0.003 + WIDE / 100, "higher", "level"),  # clear, and too small to matter
        (WIDE / 10, "higher", "level"),
        (WIDE, "higher", "open"),  # the range contains zero: that says nothing
        (0.012 + WIDE, "higher", "open"),
        (WIDE / 10, "level", "for"),
        (WIDE, "level", "open"),
        (0.03 + WIDE / 10, "level", "against"),
        (-0.03 + WIDE / 10, "level", "against"),
        (0.03 + WIDE[:5] / 10, "higher", "void"),  # five seeds settle nothing
    ],
)
def test_word_of_a_contrast(differences, expects, says):
    assert word(differences, expects) == says


def test_more_seeds_turn_open_into_level_and_never_a_wide_spread_alone():
    assert word(WIDE) == "open"
    assert word(np.tile(WIDE, 2), margin=0.012) == "level"


def test_an_unfair_comparison_is_void():
    clear = 0.03 + WIDE / 10
    assert word(clear, edge=(1, 0)) == "void"
    assert word(clear, edge=(0, 1)) == "void"
    assert word(clear, tried=(21, 7)) == "void"


@pytest.mark.parametrize(
    ("a", "b", "expects", "says"),
    [(120, 100, "higher", "for"), (80, 100, "higher", "against"), (104, 100, "higher", "level"),
     (104, 100, "level", "for"), (120, 100, "level", "against"), (np.inf, 100, "higher", "for"),
     (np.inf, np.inf, "higher", "level"), (0, 0, "lower", "level")],
)  # fmt: skip
def test_numbers_without_seeds_are_compared_with_the_margin(a, b, expects, says):
    results = Results()
    results.add("a", "steps", a)
    results.add("b", "steps", b)
    assert judge([Contrast("x", "a/steps", "b/steps", expects)], results)[0].word == says


def test_a_number_and_a_multiple_can_be_compared_with():
    results = Results()
    results.add("a", "steps", np.full(8, 30.0))
    results.add("b", "steps", np.full(8, 10.0))
    twice, four = (Contrast("x", "a/steps", "b/steps", "higher", times=times) for times in (2, 4))
    assert [o.word for o in judge([twice, four], results)] == ["for", "against"]
    assert judge([Contrast("x", "a/steps", 29.0, "level")], results)[0].word == "for"


def test_only_shared_seeds_are_paired():
    results = Results()
    results.add("a", "test accuracy", np.full(10, 0.95), seeds=range(10))
    results.add("b", "test accuracy", np.full(10, 0.9), seeds=range(5, 15))
    (outcome,) = judge([Contrast("x", "a/test accuracy", "b/test accuracy", "higher")], results)
    assert (outcome.word, outcome.differences.size) == ("void", 5)


def test_a_mean_that_two_seeds_make_is_not_enough():
    few = np.array([0.5, 0.4, 0.3, 0.02, 0.02, 0.02, 0.02, -0.001, -0.001, -0.001, -0.001, -0.001])
    assert sign_flip(few) <= ALPHA
    assert word(few) == "open"


def test_a_failed_control_voids_the_claim():
    results = measured(a=0.95 + WIDE / 10, b=np.full(10, 0.9))
    results.add("pretrained", "test accuracy", np.full(10, 0.90))
    results.add("from scratch", "test accuracy", np.full(10, 0.93))
    control = Contrast("pretraining helps", "pretrained/test accuracy", "from scratch/test accuracy", "higher",
                       control=True)  # fmt: skip
    contrast = Contrast("x", "a/test accuracy", "b/test accuracy", "higher")
    outcomes = judge([control, contrast], results)
    assert [outcome.word for outcome in outcomes] == ["against", "void"]
    assert "control" in outcomes[1].why
    assert verdict(outcomes) == "not testable here"


def test_many_contrasts_ask_more_of_each():
    differences = 0.02 + np.array([2, 3, 1, 2, 4, 2, 3, -2.2]) / 100  # one seed of eight the other way
    assert sign_flip(differences) <= ALPHA / 2
    results = measured(a=0.9 + differences, b=np.full(8, 0.9))
    contrast = Contrast("x", "a/test accuracy", "b/test accuracy", "higher")
    assert judge([contrast], results)[0].word == "for"
    assert {outcome.word for outcome in judge([contrast] * 8, results)} == {"open"}


def test_another_metric_that_says_the_opposite_is_named():
    results = measured(a=0.93 + WIDE / 10, b=np.full(10, 0.9))
    results.add("a", "validation loss", np.full(10, 0.34))
    results.add("b", "validation loss", np.full(10, 0.24))
    (outcome,) = judge([Contrast("x", "a/test accuracy", "b/test accuracy", "higher")], results)
    assert (outcome.word, outcome.other_way()) == ("for", ["validation loss"])
    results.add("a", "validation loss", np.full(10, 0.14))
    (outcome,) = judge([Contrast("x", "a/test accuracy", "b/test accuracy", "higher")], results)
    assert outcome.other_way() == []


@pytest.mark.parametrize(
    ("words", "of", "says"),
    [
        (["for", "for"], "all", "holds here"),
        (["for", "level"], "all", "holds partly"),
        (["for", "against"], "all", "holds partly"),
        (["level", "open"], "all", "no difference here"),
        (["level", "open", "open"], "all", "not testable here"),
        (["level", "against"], "all", "does not hold here"),
        (["open", "open"], "all", "not testable here"),
        (["void"], "all", "not testable here"),
        ([], "all", "not testable here"),
        (["for", "for", "against"], "most", "holds here"),
        (["for", "level"], "most", "holds partly"),
        (["for", "for"], "best", "holds here"),
        (["for", "level"], "best", "holds partly"),
        (["for", "against"], "best", "does not hold here"),
        (["against", "for"], "some", "holds here"),
        (["against", "level"], "some", "no difference here"),
        (["against", "against"], "some", "does not hold here"),
    ],
)
def test_words_of_the_contrasts_give_the_verdict(words, of, says):
    cases = {"for": 0.03 + WIDE / 10, "against": -0.03 + WIDE / 10, "level": WIDE / 10, "open": WIDE, "void": WIDE[:5]}
    results, contrasts = Results(), []
    for k, name in enumerate(words):
        results.add(f"a{k}", "test accuracy", 0.9 + cases[name])
        results.add(f"b{k}", "test accuracy", np.full(cases[name].shape, 0.9))
        contrasts.append(Contrast(name, f"a{k}/test accuracy", f"b{k}/test accuracy", "higher"))
    outcomes = judge(contrasts, results)
    assert [outcome.word for outcome in outcomes] == words
    assert verdict(outcomes, of) == says
    both = verdict(outcomes, of, ["yes2020"], ["no2021"])
    disputable = says in ("holds partly", "no difference here") or "open" in words
    assert both == ("disputed" if disputable else says)


def test_the_sign_flip_test_is_exact():
    rng = np.random.default_rng(0)
    for size in (1, 2, 5, 9):
        found = rng.normal(0.3, 1, size)
        flips = np.array(list(product([-1, 1], repeat=size)))
        assert sign_flip(found) == np.mean((flips * np.abs(found)).sum(axis=1) >= found.sum() - 1e-9)
    assert sign_flip(np.ones(30)) == 2.0**-30
    assert sign_flip(np.full(8, np.inf)) == 2.0**-8


def test_it_cries_wolf_no_more_often_than_it_says():
    rng = np.random.default_rng(1)
    assert np.mean([sign_flip(rng.normal(0, 1, 10)) <= ALPHA for _ in range(2000)]) < 1.5 * ALPHA


def test_holm_is_in_order_and_never_above_one():
    assert holm([]) == []
    assert holm([0.004, 0.9, 0.02]) == pytest.approx([0.012, 0.9, 0.04])


def test_a_contrast_must_say_what_it_expects():
    with pytest.raises(ValueError, match="expects must be higher, lower or level, got 'better'"):
        Contrast("x", "a/b", "c/b", "better")
