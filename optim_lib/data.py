"""Real data that needs no download, split and scaled the same way every time, and mini-batches of it.

The real data are scikit-learn's copies (digits, tumors, diabetes) and Python's own help (words and characters). Where
those are not installed, files stand in for them: ``python -m optim_lib.data FOLDER`` writes ``digits.npz``,
``breast_cancer.npz``, ``diabetes.npz`` and ``sparse_words.npz``, and they are found in the folder that the environment
variable ``OPTIM_LIB_DATA`` names, or in ``_data`` beside this module. A file that is there is read rather than
scikit-learn.

>>> data = digits()
>>> data
Dataset('digits': 1079 train, 359 validation, 359 test; 64 features; 10 classes)
>>> x, y = data.train
>>> x.shape, y.shape
((1079, 64), (1079,))
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optim_lib.checks import seed as checked_seed
from optim_lib.checks import whole
from optim_lib.extras import advice

Array = NDArray[np.floating]

# The longest of Python's help topics that hardly share a line with one another (most are chapters of a longer one).
TOPICS = (
    "assignment",
    "comparisons",
    "compound",
    "debugger",
    "execmodel",
    "formatstrings",
    "specialnames",
    "string-methods",
    "strings",
    "types",
    "typesmapping",
    "typesseq",
)

# What a text is written with here: everything on a US keyboard, so that it does not depend on the text.
ALPHABET = "\n" + "".join(chr(code) for code in range(32, 127))
PLAIN = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2026": "..."}
)


class Split(NamedTuple):
    """Examples `x` of shape (n, features) and what to predict, `y`: class numbers (n,) or targets (n, 1)."""

    x: Array
    y: NDArray

    def __repr__(self) -> str:
        return f"Split(x: {self.x.shape}, y: {self.y.shape})"


@dataclass(frozen=True, repr=False)
class Dataset:
    """A dataset in three parts that share no example.

    Attributes
    ----------
    name : str
    train, validation, test : Split
        To fit parameters, to choose hyperparameters, and to report, each only once. Each unpacks as ``x, y``.
    features : tuple of str
        The names of the columns of `x`.
    classes : int or None
        The number of classes; None if the targets are numbers.
    center, scale : array or float
        What was subtracted from every row of `x`, and what it was then divided by.
    class_names : tuple of str
        What the class numbers stand for; empty if they are just numbers.

    Raises
    ------
    TypeError, ValueError
        If a part is no pair of as many inputs as targets, holds NaN or infinity, or a class number that there is not.

    See Also
    --------
    Dataset.from_arrays : the same from arrays of one's own.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    features: tuple[str, ...]
    classes: int | None = None
    center: Array | float = 0.0
    scale: Array | float = 1.0
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part in ("train", "validation", "test"):
            object.__setattr__(self, part, as_split(f"{self.name!r}: {part}", getattr(self, part), self.classes))

    @classmethod
    def from_arrays(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        *,
        name: str = "data",
        features: Iterable[str] | None = None,
        seed: int = 0,
        validation: float = 0.2,
        test: float = 0.2,
        standardize: bool = False,
    ) -> Dataset:
        """A dataset from arrays of one's own, split in three.

        Parameters
        ----------
        x : array of shape (n, features), or with more axes
        y : array
            Classes are whole numbers from 0, texts or booleans, of shape (n,), or (n, length) for sequences; anything
            else is a target, of shape (n,) or (n, outputs). Whole numbers that are targets are passed as floats.
        name : str
        features : iterable of str, optional
            The names of the columns.
        seed, validation, test
            As in `digits`: which example goes where, and the shares.
        standardize : bool, default False
            Whether each feature, and each target, gets mean 0 and standard deviation 1 over the training examples.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal((100, 3))
        >>> Dataset.from_arrays(x, np.where(x[:, 0] > 0, "warm", "cold"))
        Dataset('data': 60 train, 20 validation, 20 test; 3 features; 2 classes)
        >>> Dataset.from_arrays(x, 2 * x[:, 0] + 1, validation=0.1, test=0.1).train.y.shape
        (80, 1)
        """
        x, y, class_names = np.asarray(x), np.asarray(y), ()
        if y.dtype.kind == "O" and all(isinstance(value, str) for value in y.flat):
            y = y.astype(str)
        if y.dtype.kind in "Ub":
            class_names, numbers = np.unique(y, return_inverse=True)
            y, class_names = numbers.reshape(y.shape), tuple(map(str, class_names))
        classes = (len(class_names) or int(y.max(initial=0)) + 1) if y.dtype.kind in "iu" else None
        every = as_split(name, (x, y[:, None] if classes is None and y.ndim == 1 else y), classes)
        names = tuple(features) if features is not None else _column_names(every.x)
        if every.x.ndim == 2 and len(names) != every.x.shape[1]:
            raise ValueError(f"features must be {every.x.shape[1]} names, got {len(names)}")
        parts = _split(name, *every, names, classes, seed, validation, test)
        if not len(parts.train.x):
            raise ValueError(f"x must have examples to train on, got {len(every.x)} for all parts")
        return replace(_standardized(parts) if standardize else parts, class_names=class_names)

    def raw(self, x: Array) -> Array:
        """Rows of `x` in the units they were measured in: the pixels of a digit, from 0 to 16."""
        return x * self.scale + self.center

    def __repr__(self) -> str:
        kind = f"{self.classes} classes" if self.classes else "targets are numbers"
        sizes = ", ".join(f"{len(getattr(self, part).x)} {part}" for part in ("train", "validation", "test"))
        return f"Dataset({self.name!r}: {sizes}; {len(self.features)} features; {kind})"


def digits(seed: int = 0, validation: float = 0.2, test: float = 0.2) -> Dataset:
    """1797 handwritten digits of 8 x 8 pixels in ten classes.

    Each pixel is centered on its mean over the training examples; all are divided by one number, the standard
    deviation over all of them. Pixels share a unit: dividing each by its own spread would blow a stray mark
    in a corner up to forty times its size.

    Parameters
    ----------
    seed : int, default 0
        Decides which example goes where, and nothing else.
    validation, test : float, default 0.2
        The share of the examples in these parts; each in [0, 1), together less than 1.

    Raises
    ------
    ValueError
        If a share is out of range.

    References
    ----------
    Alpaydin and Kaynak (1998), "Optical recognition of handwritten digits", UCI machine learning repository.
    The digits came from 43 writers, and the split does not keep those of one writer together.
    """
    raw = _stored("digits")
    parts = _split("digits", raw["x"], raw["y"], raw["features"], 10, seed, validation, test)
    mean = parts.train.x.mean(axis=0)
    return _rescaled(parts, mean, np.std(parts.train.x - mean))


def breast_cancer(seed: int = 0, validation: float = 0.2, test: float = 0.2, standardize: bool = True) -> Dataset:
    """569 tumors described by 30 numbers, malignant (class 0) or benign (class 1).

    Parameters
    ----------
    seed, validation, test
        As in `digits`.
    standardize : bool, default True
        Whether each feature gets mean 0 and standard deviation 1 over the training examples.

    References
    ----------
    Street, Wolberg and Mangasarian (1993), "Nuclear feature extraction for breast tumor diagnosis".
    """
    raw = _stored("breast_cancer")
    parts = _split("breast cancer", raw["x"], raw["y"], raw["features"], 2, seed, validation, test)
    return _standardized(parts) if standardize else parts


def diabetes(seed: int = 0, validation: float = 0.2, test: float = 0.2, standardize: bool = True) -> Dataset:
    """442 patients described by 10 numbers, and how far their diabetes had progressed a year later.

    Parameters
    ----------
    seed, validation, test
        As in `digits`.
    standardize : bool, default True
        Whether each feature, and the target, gets mean 0 and standard deviation 1 over the training examples.
        A mean squared error of 1 is then what predicting the mean gets. If false, all are in the units they
        were measured in, which makes a badly conditioned problem.

    References
    ----------
    Efron, Hastie, Johnstone and Tibshirani (2004), "Least angle regression".
    """
    raw = _stored("diabetes")
    parts = _split("diabetes", raw["x"], raw["y"][:, None], raw["features"], None, seed, validation, test)
    return _standardized(parts) if standardize else parts


def ill_conditioned_regression(
    condition: float = 1000.0,
    features: int = 20,
    examples: int = 400,
    noise: float = 0.1,
    seed: int = 0,
) -> Dataset:
    r"""A linear regression made to be hard for gradient descent, with a spectrum known exactly.

    The Hessian of the mean squared error :math:`\frac1n \lVert Xw - y \rVert^2` over the training examples,
    :math:`\frac2n X^\top X`, has eigenvalues spaced evenly on a log scale from 1 down to 1/`condition`.

    Parameters
    ----------
    condition : float, default 1000
        At least 1.
    features, examples : int, default 20 and 400
        At least 2 features, and at least as many examples in each part as features.
    noise : float, default 0.1
        The standard deviation of what is added to the targets, at least 0.
    seed : int, default 0

    Examples
    --------
    >>> x, y = ill_conditioned_regression(condition=100.0).train
    >>> eigenvalues = np.linalg.eigvalsh(2 / len(x) * x.T @ x)
    >>> round(float(eigenvalues[-1]), 9), round(float(eigenvalues[0]), 9)
    (1.0, 0.01)
    """
    if not 1 <= condition < np.inf:
        raise ValueError(f"condition must be a number of at least 1, got {condition!r}")
    if features < 2 or examples < features:
        raise ValueError(
            f"features must be at least 2 and examples at least as many, got {features!r} and {examples!r}"
        )
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise must be a standard deviation of at least 0, got {noise!r}")
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.standard_normal((features, features)))[0]
    scales = np.sqrt(np.geomspace(1, 1 / condition, features) / 2)
    weights = rotation @ rng.standard_normal((features, 1)) / scales.mean()

    def part(n: int) -> Split:
        directions = np.linalg.qr(rng.standard_normal((n, features)))[0] * np.sqrt(n)
        x = directions * scales @ rotation.T
        return Split(x, x @ weights + noise * rng.standard_normal((n, 1)))

    names = tuple(f"x{i}" for i in range(1, features + 1))
    parts = (part(examples) for _ in range(3))
    return Dataset(f"regression with condition number {condition:g}", *parts, names)


def sparse_words(seed: int = 0, validation: float = 0.2, test: float = 0.2) -> Dataset:
    """Lines of Python's own help, each described by the words in it, and which of 12 topics it is from.

    The features are sparse: there is one for each word of the training lines, 1 if the word is in the line and 0 if
    not; a line has about 8 of some 2,000 words, and more than half of these are in one or two lines only.

    Parameters
    ----------
    seed, validation, test
        As in `digits`. The lines of one page go to all three parts: this is a dataset about optimization, and its
        test accuracy is not what a page that nobody has seen would get.

    Notes
    -----
    Lines of fewer than three words, and lines that are in more than one place, are left out. The text is that of
    the running Python (`pydoc_data.topics`), so the numbers differ a little from one version of Python to another.

    Examples
    --------
    >>> data = sparse_words()
    >>> data.classes, data.class_names[:3]
    (12, ('assignment', 'comparisons', 'compound'))
    >>> sorted(set(data.train.x[:50].ravel().tolist()))
    [0.0, 1.0]
    """
    words_of = re.compile(r"[a-z_]+").findall
    places: dict[str, list[int]] = {}
    for number, text in enumerate(_stored("sparse_words")["texts"]):
        for line in str(text).splitlines():
            places.setdefault(" ".join(words_of(line.lower())), []).append(number)
    lines = [(line.split(), where[0]) for line, where in places.items() if len(line.split()) >= 3 and len(where) == 1]
    numbers, labels = np.arange(len(lines)), np.array([label for _, label in lines])
    parts = _split("sparse words", numbers, labels, (), len(TOPICS), seed, validation, test)
    words = sorted({word for number in parts.train.x for word in lines[number][0]})
    column_of = {word: column for column, word in enumerate(words)}

    def bag(part: Split) -> Split:
        x = np.zeros((len(part.x), len(words)), np.float32)
        for row, number in zip(x, part.x, strict=True):
            row[[column_of[word] for word in lines[number][0] if word in column_of]] = 1
        return Split(x, part.y)

    bags = _with_parts(parts, (bag(part) for part in _parts(parts)))
    return replace(bags, features=tuple(words), class_names=TOPICS)


def characters(length: int = 32, seed: int = 0, validation: float = 0.1, test: float = 0.1) -> Dataset:
    """Windows of Python's own help, character by character, each to be predicted from those before it.

    Parameters
    ----------
    length : int, default 32
        Characters in a window, at least 1. Windows do not overlap.
    seed, validation, test
        As in `digits`.

    Returns
    -------
    Dataset
        `x` and `y` are class numbers of shape (n, length), and ``y[:, t]`` is what follows ``x[:, t]``;
        ``class_names[k]`` is the character with number k.

    Notes
    -----
    A paragraph that is in several topics is taken once, or a test would be of what was learned by heart; white space is
    reduced to one space inside a paragraph, and to one line break between two. The text is that of the running Python
    (`pydoc_data.topics`), so the numbers differ a little from one version of Python to another.

    Examples
    --------
    >>> data = characters(length=40)
    >>> data.train.x.shape[1], data.classes
    (40, 96)
    >>> bool((data.train.x[:, 1:] == data.train.y[:, :-1]).all())
    True
    """
    length = whole("length", length)
    codes = np.array([ALPHABET.index(c) if c in ALPHABET else ALPHABET.index("?") for c in help_text()], dtype=np.int64)
    windows = len(codes) // (length + 1)
    if windows < 10:
        raise ValueError(f"length must leave at least 10 windows of a text of {len(codes)} characters, got {length!r}")
    cut = codes[: windows * (length + 1)].reshape(windows, length + 1)
    names = tuple(f"character {t}" for t in range(1, length + 1))
    parts = _split("characters", cut[:, :-1], cut[:, 1:], names, len(ALPHABET), seed, validation, test)
    return replace(parts, class_names=tuple(ALPHABET))


def help_text() -> str:
    """The text of Python's help, each paragraph once, a paragraph a line."""
    from pydoc_data.topics import topics

    paragraphs: dict[str, None] = {}
    for topic in sorted(topics):
        for paragraph in re.split(r"\n\s*\n", topics[topic]):
            paragraphs[" ".join(paragraph.translate(PLAIN).split())] = None
    # Rulers of tables and headings say nothing, and a model would spend its first steps on them.
    return "\n".join(re.sub(r"([-=*+|])\1{3,}", r"\1\1\1", paragraph) for paragraph in paragraphs if paragraph)


def minibatches(
    n: int, batch_size: int, rng: np.random.Generator | int, drop_last: bool = False
) -> Iterator[NDArray[np.integer]]:
    """One epoch: the numbers 0 to n - 1 in random order, `batch_size` at a time.

    Parameters
    ----------
    n : int
        The number of examples, at least 1.
    batch_size : int
        At least 1; more than `n` means all at once.
    rng : Generator or int
        A generator goes on from where it is, so each epoch has an order of its own.
    drop_last : bool, default False
        If `batch_size` does not divide `n`, the last batch is smaller: keep it, so that each example is seen
        exactly once an epoch, or drop it, so that all batches have one size.

    Examples
    --------
    >>> [batch.tolist() for batch in minibatches(5, 2, rng=0)]
    [[2, 4], [3, 0], [1]]
    """
    whole("n", n)
    whole("batch_size", batch_size)
    order = np.random.default_rng(rng).permutation(n)
    stop = n - n % batch_size if drop_last and n >= batch_size else n
    return (order[start : start + batch_size] for start in range(0, stop, batch_size))


# What a file must hold, so that another dataset under one of these names is noticed.
_SHAPES = {"digits": (1797, 64), "breast_cancer": (569, 30), "diabetes": (442, 10)}


def _stored(name: str) -> dict[str, NDArray]:
    """The numbers of a dataset as they were measured: from its file where there is one, or from where they come."""
    for folder in filter(None, (os.environ.get("OPTIM_LIB_DATA"), Path(__file__).parent / "_data")):
        path = Path(folder) / f"{name}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as file:
                arrays = {key: file[key].astype(float) if key == "x" else file[key] for key in file.files}
            if name in _SHAPES and arrays["x"].shape != _SHAPES[name]:
                raise ValueError(f"{path} must hold x of shape {_SHAPES[name]}, got {arrays['x'].shape}")
            return arrays
    return _original(name)


def _original(name: str) -> dict[str, NDArray]:
    if name == "sparse_words":
        from pydoc_data.topics import topics

        return {"texts": np.array([topics[topic] for topic in TOPICS])}
    try:
        from sklearn import datasets
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the {name.replace('_', ' ')} data come with scikit-learn. {advice('sklearn')}, or let "
            f"OPTIM_LIB_DATA name a folder with {name}.npz, "
            "which `python -m optim_lib.data FOLDER` writes where scikit-learn is installed",
            name=error.name,
        ) from None
    options = {"scaled": False} if name == "diabetes" else {}
    raw = getattr(datasets, f"load_{name}")(**options)
    return {"x": raw.data, "y": raw.target, "features": np.array(raw.feature_names)}


def write_files(folder: str | os.PathLike, names: Iterable[str] = (*_SHAPES, "sparse_words")) -> list[Path]:
    """Write the files that stand in for scikit-learn and for Python's help where those are not installed.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    names : iterable of str, optional
        Of ``digits``, ``breast_cancer``, ``diabetes``, ``sparse_words``; all by default.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = []
    for name in names:
        if name not in (*_SHAPES, "sparse_words"):
            raise ValueError(f"names must be among {', '.join(_SHAPES)}, sparse_words, got {name!r}")
        arrays = _original(name)
        if "x" in arrays and np.array_equal(arrays["x"], arrays["x"].astype(np.uint8)):
            arrays["x"] = arrays["x"].astype(np.uint8)
        paths.append(Path(folder) / f"{name}.npz")
        np.savez_compressed(paths[-1], **arrays)
    return paths


def as_split(name: str, pair: Any, classes: int | None = None) -> Split:
    """`pair` as inputs and targets; an error that names them if they are none."""
    try:
        x, y = (np.asarray(part) for part in pair)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a pair of arrays, inputs and targets, got {type(pair).__name__}") from None
    if x.dtype.kind not in "fiub" or y.dtype.kind not in "fiub" or not x.ndim or not y.ndim:
        raise TypeError(f"{name} must be arrays of numbers, got {x.dtype} of shape {x.shape} and {y.dtype}")
    if len(x) != len(y):
        raise ValueError(f"{name} must have as many targets as inputs, got {len(y)} and {len(x)}")
    for what, array in (("inputs", x), ("targets", y)):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, but {int((~np.isfinite(array)).sum())} of the {what} are not")
    if classes is not None and y.dtype.kind in "iu" and y.size and not 0 <= y.min() <= y.max() < classes:
        raise ValueError(f"{name} must have class numbers from 0 to {classes - 1}, got {y.min()} to {y.max()}")
    return pair if isinstance(pair, Split) and pair.x is x and pair.y is y else Split(x, y)


def _column_names(x: NDArray) -> tuple[str, ...]:
    return tuple(f"x{i}" for i in range(1, x.shape[1] + 1)) if x.ndim == 2 else ()


def _split(
    name: str,
    x: Array,
    y: NDArray,
    features: Iterable[str],
    classes: int | None,
    seed: int,
    validation: float,
    test: float,
) -> Dataset:
    for part, share in (("validation", validation), ("test", test)):
        if not 0 <= share < 1:
            raise ValueError(f"{part} must be a share in [0, 1), got {share!r}")
    if validation + test >= 1:
        raise ValueError(f"validation and test must leave examples to train on, got {validation!r} and {test!r}")
    order = np.random.default_rng(checked_seed("seed", seed)).permutation(len(x))
    to_validate, to_test = round(validation * len(x)), round(test * len(x))
    train = len(x) - to_validate - to_test
    parts = np.split(order, [train, train + to_validate])
    return Dataset(name, *(Split(x[part], y[part]) for part in parts), tuple(map(str, features)), classes)


def _standardized(data: Dataset) -> Dataset:
    x, y = data.train
    data = _rescaled(data, x.mean(axis=0), _spread(x))
    if data.classes:
        return data
    center, spread = (y.mean(), _spread(y)[0]) if y.shape[1:] == (1,) else (y.mean(axis=0), _spread(y))
    return _with_parts(data, (Split(part.x, (part.y - center) / spread) for part in _parts(data)))


def _spread(x: Array) -> Array:
    """The standard deviation of each column; 1 where a column is constant but for rounding."""
    spread = np.array([x.std()]) if x.shape[1:] == (1,) else x.std(axis=0)
    return np.where(spread > 1e-12 * np.abs(x).max(axis=0, initial=0.0), spread, 1.0)


def _rescaled(data: Dataset, center: Array, scale: Array | float) -> Dataset:
    scaled = (Split((part.x - center) / scale, part.y) for part in _parts(data))
    return replace(_with_parts(data, scaled), center=center, scale=scale)


def _with_parts(data: Dataset, parts: Iterable[Split]) -> Dataset:
    return replace(data, **dict(zip(("train", "validation", "test"), parts, strict=True)))


def _parts(data: Dataset) -> tuple[Split, Split, Split]:
    return data.train, data.validation, data.test


__all__ = [
    "Dataset",
    "Split",
    "breast_cancer",
    "characters",
    "diabetes",
    "digits",
    "ill_conditioned_regression",
    "minibatches",
    "sparse_words",
    "write_files",
]

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("python -m optim_lib.data FOLDER [NAME ...]: write the files that stand in for scikit-learn")
    print(*write_files(sys.argv[1], sys.argv[2:] or (*_SHAPES, "sparse_words")), sep="\n")
