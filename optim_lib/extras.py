"""What needs more than NumPy says which package is missing, and which extra of the project brings it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

# Extras of pyproject.toml; a package that several bring is named with the smallest.
EXTRAS = {
    "plot": ("matplotlib", "IPython", "pygments"),
    "notebook": ("anywidget", "ipywidgets", "traitlets", "nbformat"),
    "train": ("joblib", "filelock", "threadpoolctl", "tqdm", "sklearn", "scipy"),
    "torch": ("torch",),
    "all": ("docutils", "yaml"),
}


def advice(package: str, extra: str | None = None) -> str:
    """A sentence that says how to get a package; empty if no extra brings it."""
    extra = extra or next((name for name, packages in EXTRAS.items() if package in packages), "")
    return f'{package} is not installed: pip install "understanding-optimizers[{extra}]"' if extra else ""


@contextmanager
def needed() -> Iterator[None]:
    """Around an import: where its package is missing, the error names the extra.

    >>> with needed():
    ...     import matplotlib
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not advice(package) or find_spec(package):
            raise
        raise ModuleNotFoundError(advice(package), name=error.name) from None


def require(extra: str) -> None:
    """Raise an error that names an extra unless all packages of it, and of those before it, are here."""
    names = list(EXTRAS)
    for name in names[: names.index(extra) + 1]:
        for package in EXTRAS[name]:
            if find_spec(package) is None:
                raise ModuleNotFoundError(advice(package, extra), name=package)
