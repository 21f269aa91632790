"""Which files are Python's and those of packages that were installed, wherever an installation puts them."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from functools import cache
from pathlib import Path, PurePath


def is_installed(file: str) -> bool:
    """Whether a file is of Python or of a package that was installed: not of the course's own tree, not the user's.

    Debian puts what apt installs in ``/usr/lib/python3/dist-packages``, ``pip --user`` in the home folder, ``pip
    --target`` anywhere, and a virtual environment may look into those of the system: sysconfig knows none of these.
    """
    if file.startswith(_folders()) or not {"site-packages", "dist-packages"}.isdisjoint(PurePath(file).parts):
        return True
    return any(file.startswith(f"{folder}{os.sep}") and _holds_installed(folder) for folder in sys.path if folder)


@cache
def _holds_installed(folder: str) -> bool:
    return any(Path(folder).glob("*.dist-info"))


@cache
def _folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    known = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib") if name in paths}
    known.update(getattr(site, "getsitepackages", list)())
    known.add(getattr(site, "getusersitepackages", str)())
    # A link to a folder, and the folder itself: a module's file may be named by either.
    known |= {str(Path(folder).resolve()) for folder in known if folder}
    return tuple(f"{folder.rstrip(os.sep)}{os.sep}" for folder in known if folder)
