"""Worker processes that do not outlive the process they work for."""

from __future__ import annotations

import functools
import os
import threading
import time

SECONDS_BETWEEN_LOOKS = 1.0


@functools.cache
def end_with(parent: int) -> None:
    """End this process soon after its parent has ended, if that is the process with this number.

    A parent that is killed (SIGKILL, out of memory) cannot end its workers; without this they stay for minutes. In
    the process itself, on another machine, and for a child of another process nothing is done.
    """
    if os.getpid() != parent == os.getppid():
        threading.Thread(target=_end_when_orphaned, args=(parent,), daemon=True).start()


def _end_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
