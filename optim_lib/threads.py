"""One thread for matrix products: the order of a sum, and so its last digit, depends on how many there are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, NumPy computes in one thread, and so does torch if it has been imported."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    if torch:
        torch.set_num_threads(1)
    try:
        with _numpy_in_one_thread():
            yield
    finally:
        if torch:
            torch.set_num_threads(threads)


@contextmanager
def _numpy_in_one_thread() -> Iterator[None]:
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError:  # in a browser, where there is one thread
        yield
    else:
        with threadpool_limits(1):
            yield
