"""Progress bars: tqdm's where it is installed, none where it is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def progress_bar(iterable: Iterable[Any] | None = None, **options: Any) -> Any:
    """What ``tqdm(iterable, **options)`` gives, or what does the same and shows nothing."""
    if options.get("disable"):
        return _Silent(iterable)
    try:
        from tqdm.auto import tqdm
    except ModuleNotFoundError:
        return _Silent(iterable)
    return tqdm(iterable, **options)


class _Silent:
    def __init__(self, iterable: Iterable[Any] | None) -> None:
        self.iterable = () if iterable is None else iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __enter__(self) -> _Silent:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self, steps: int = 1) -> None:
        pass
