"""Datasets are split without overlap and scaled by what was trained on; mini-batches cover an epoch."""

import re
from collections import Counter

import numpy as np
import pytest
from sklearn import datasets as originals

from optim_lib.data import (
    ALPHABET,
    TOPICS,
    breast_cancer,
    characters,
    diabetes,
    digits,
    help_text,
    ill_conditioned_regression,
    minibatches,
    sparse_words,
)

LOADERS = {
    "digits": (digits, originals.load_digits),
    "breast cancer": (breast_cancer, originals.load_breast_cancer),
    "diabetes": (diabetes, lambda: originals.load_diabetes(scaled=False)),
}


def rows_of(data):
    return np.concatenate([data.raw(part.x) for part in (data.train, data.validation, data.test)])


@pytest.mark.parametrize("name", LOADERS)
def test_every_example_is_in_exactly_one_part_and_can_be_unscaled(name):
    load, original = LOADERS[name]
    ours, theirs = rows_of(load()), original().data
    assert ours.shape == theirs.shape
    order = [np.lexsort(rows.round(6).T) for rows in (ours, theirs)]
    np.testing.assert_allclose(ours[order[0]], theirs[order[1]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", LOADERS)
def test_targets_stay_with_their_examples(name):
    load, original = LOADERS[name]
    data, raw = load(), original()
    target_of = {row.round(6).tobytes(): target for row, target in zip(raw.data + 0.0, raw.target, strict=True)}
    x, y = data.test
    expected = np.array([target_of[(row.round(6) + 0.0).tobytes()] for row in data.raw(x).round(6)])
    if data.classes:
        np.testing.assert_array_equal(y, expected)
    else:
        assert np.corrcoef(y[:, 0], expected)[0, 1] > 1 - 1e-12


def test_scaling_uses_training_statistics_only():
    data = diabetes()
    np.testing.assert_allclose(data.train.x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.train.x.std(axis=0), 1)
    np.testing.assert_allclose([data.train.y.mean(), data.train.y.std()], [0, 1], atol=1e-12)
    assert abs(data.test.x.mean(axis=0)).max() > 0.01
    assert abs(data.test.x.std(axis=0) - 1).max() > 0.01


def test_digits_share_one_scale_so_that_no_rare_pixel_is_blown_up():
    data = digits()
    np.testing.assert_allclose(data.train.x.mean(axis=0), 0, atol=1e-12)
    assert data.train.x.std() == pytest.approx(1)
    assert abs(data.test.x).max() < 5


def test_diabetes_in_its_own_units():
    data = diabetes(standardize=False)
    assert data.train.y.min() >= 25
    assert data.train.x[:, 0].max() > 70  # years


def test_the_seed_decides_the_split_and_shares_decide_its_sizes():
    assert np.array_equal(digits(seed=1).train.x, digits(seed=1).train.x)
    assert not np.array_equal(digits(seed=1).train.y, digits(seed=2).train.y)
    data = digits(validation=0.1, test=0.0)
    assert [len(part.x) for part in (data.train, data.validation, data.test)] == [1617, 180, 0]


@pytest.mark.parametrize("condition", [1.0, 50.0, 1e6])
def test_the_regression_has_the_condition_number_it_claims(condition):
    data = ill_conditioned_regression(condition=condition)
    for x, _ in (data.train, data.test):
        eigenvalues = np.linalg.eigvalsh(2 / len(x) * x.T @ x)
        np.testing.assert_allclose(eigenvalues[::-1], np.geomspace(1, 1 / condition, 20), rtol=1e-6)


def test_the_noise_of_the_regression_is_its_best_error():
    x, y = ill_conditioned_regression(noise=0.5, examples=4000).train
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    assert np.std(y - x @ best) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: digits(validation=1.0), r"validation must be a share in \[0, 1\), got 1.0"),
        (lambda: digits(test=-0.1), "test must be a share"),
        (lambda: digits(validation=0.6, test=0.5), "must leave examples to train on"),
        (lambda: ill_conditioned_regression(condition=0.5), "condition must be a number of at least 1, got 0.5"),
        (lambda: ill_conditioned_regression(features=30, examples=20), "features must be at least 2"),
        (lambda: ill_conditioned_regression(noise=np.nan), "noise must be a standard deviation"),
        (lambda: characters(length=0), "length must be a whole number of at least 1, got 0"),
        (lambda: characters(length=10**6), "length must leave at least 10 windows"),
        (lambda: sparse_words(test=1.5), "test must be a share"),
        (lambda: minibatches(0, 2, 0), "n must be a whole number of at least 1, got 0"),
        (lambda: minibatches(10, 2.5, 0), "batch_size must be a whole number of at least 1, got 2.5"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_epoch_sees_each_example_once():
    batches = list(minibatches(10, 4, rng=0))
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(np.concatenate(batches)) == list(range(10))


def test_dropping_the_last_batch_leaves_equal_sizes():
    assert [len(batch) for batch in minibatches(10, 4, rng=0, drop_last=True)] == [4, 4]
    assert [len(batch) for batch in minibatches(8, 4, rng=0, drop_last=True)] == [4, 4]
    assert [len(batch) for batch in minibatches(3, 4, rng=0, drop_last=True)] == [3]


def test_a_generator_gives_each_epoch_its_own_order_and_a_seed_repeats_it():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(list(minibatches(50, 8, rng))) for _ in range(2))
    again = np.concatenate(list(minibatches(50, 8, 0)))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again)


def words_in(data, row):
    return {data.features[column] for column in np.flatnonzero(row)}


def test_the_words_of_a_line_come_from_a_line_of_its_topic():
    from pydoc_data.topics import topics

    data = sparse_words()
    lines = {
        topic: [set(re.findall("[a-z_]+", line.lower())) for line in topics[topic].splitlines()] for topic in TOPICS
    }
    for row, label in zip(data.train.x[:200], data.train.y[:200], strict=True):
        topic = data.class_names[label]
        assert words_in(data, row) in lines[topic]


def test_a_line_that_is_in_two_places_is_in_no_part():
    from pydoc_data.topics import topics

    places = Counter(
        " ".join(re.findall("[a-z_]+", line.lower())) for topic in TOPICS for line in topics[topic].splitlines()
    )
    once = [line for line, count in places.items() if count == 1 and len(line.split()) >= 3]
    data = sparse_words()
    assert sum(len(part.x) for part in (data.train, data.validation, data.test)) == len(once)
    assert any(count > 1 and len(line.split()) >= 3 for line, count in places.items())


def test_the_words_are_sparse_and_those_of_the_training_lines():
    data = sparse_words()
    x = data.train.x
    assert set(np.unique(x)) == {0, 1}
    assert x.max(axis=0).min() == 1
    assert x.sum(axis=1).mean() < 12
    assert ((x > 0).sum(axis=0) <= 2).mean() > 0.5
    assert set(np.unique(data.test.y)) == set(np.unique(data.train.y)) == set(range(12))
    assert list(data.features) == sorted(set(data.features))


def test_characters_are_followed_by_what_follows_them_in_the_text():
    data, text = characters(length=20), help_text()
    for part in (data.train, data.validation, data.test):
        for x, y in zip(part.x[:50], part.y[:50], strict=True):
            window = "".join(data.class_names[code] for code in [*x, y[-1]])
            assert (x[1:] == y[:-1]).all()
            assert window in text


def test_windows_of_text_are_in_one_part_only():
    data = characters(length=32)
    train, test = ({row.tobytes() for row in part.x} for part in (data.train, data.test))
    assert len(train & test) <= 0.01 * len(test)
    assert len(train) + len(test) > 0.9 * (len(data.train.x) + len(data.test.x))


def test_the_text_says_every_paragraph_once_in_a_fixed_alphabet():
    paragraphs = help_text().split("\n")
    assert len(set(paragraphs)) == len(paragraphs) > 1000
    assert len(set(ALPHABET)) == len(ALPHABET) == 96
    assert sum(character not in ALPHABET for character in help_text()) < 20


@pytest.mark.parametrize("load", [sparse_words, characters])
def test_the_seed_decides_where_a_line_goes(load):
    one, same, other = load(seed=1), load(seed=1), load(seed=2)
    assert np.array_equal(one.train.x, same.train.x)
    assert np.array_equal(one.train.y, same.train.y)
    assert one.train.x.shape != other.train.x.shape or not np.array_equal(one.train.x, other.train.x)
