"""Write the colors of ``optim_lib/palette.py`` into the style sheets and the logo.

``python -m tools.colors`` (``make book`` calls it) changes the files in place, in three forms that it knows::

    --uo-ink: #1f2430;              a definition: the role's color
    var(--uo-ink, #1f2430)          what holds where no page defines it: the same (also behind one of JupyterLab's)
    stroke="#0072b2" class="blue"   in an SVG: a color of the series, by its name

A line whose selector speaks of a dark theme gets the dark color. A role that the palette lacks is an error.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from optim_lib.palette import CARD_DARK, CARD_LIGHT, DARK, LIGHT, PAGE_DARK, PAGE_LIGHT, SERIES, SERIES_NAMES

ROOT = Path(__file__).parents[1]
FOLDERS = ("book", "exercises", "experiments", "optim_lib", "tools/assets")
DRAWINGS = ("book/logo.svg", "book/favicon.svg")

_RULE = re.compile(r"(?P<selector>(?:@media[^{}]*\{)?[^{}]*)\{[^{}]*\}")
_USE = re.compile(r"(--uo-(?P<role>[a-z]+)(?:: |, )(?:var\(--jp-[\w-]+, )?)(?P<color>#[0-9a-fA-F]{3,6})\b")
_STROKE = re.compile(r'((?:stroke|fill)=")#[0-9a-fA-F]{6}(" class="(?P<name>[a-z]+)")')


def color(role: str, dark: bool, card: bool = False) -> str:
    """The color of a role, for a light or a dark page, or for a card on it."""
    roles = DARK | PAGE_DARK if dark else LIGHT | PAGE_LIGHT
    if card:
        roles |= CARD_DARK if dark else CARD_LIGHT
    if not isinstance(roles.get(role), str):
        raise ValueError(f"optim_lib/palette.py has no role {role!r}; it has {', '.join(sorted(roles))}")
    return re.sub(r"^#(.)\1(.)\2(.)\3$", r"#\1\2\3", roles[role].lower())


def painted_sheet(text: str) -> str:
    """A style sheet with the palette's colors."""

    def rule(match: re.Match[str]) -> str:
        dark = re.search("dark|theme-light=false", match["selector"])
        card = (
            re.search(r"\.uo-card|:root", match["selector"]) is not None
        )  # or a class's report, whose colors are these
        return _USE.sub(lambda use: f"{use[1]}{color(use['role'], bool(dark), card)}", match[0])

    return _RULE.sub(rule, text)


def painted_drawing(text: str) -> str:
    """An SVG with the palette's series colors."""
    named = dict(zip(SERIES_NAMES, SERIES, strict=True))
    return _STROKE.sub(lambda match: f"{match[1]}{named[match['name']]}{match[2]}", text)


def sheets() -> list[Path]:
    """Every style sheet of the course."""
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.css"))


def painted() -> Iterator[tuple[Path, str, str]]:
    """Each file that has colors: its path, its text, and the text with the palette's colors."""
    for paths, paint in ((sheets(), painted_sheet), ([ROOT / name for name in DRAWINGS], painted_drawing)):
        for path in paths:
            text = path.read_text(encoding="utf-8")
            yield path, text, paint(text)


def write() -> list[str]:
    """Bring every file up to date; the names of those that changed."""
    changed = [(path, new) for path, old, new in painted() if new != old]
    for path, new in changed:
        path.write_text(new, encoding="utf-8")
    return [path.relative_to(ROOT).as_posix() for path, _ in changed]


def main() -> int:
    print("\n".join(f"{name}: painted" for name in write()) or "Every sheet has the palette's colors.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
