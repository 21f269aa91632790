"""Draw the picture of the README from runs of the course's own optimizers: ``python -m tools.readme_picture``.

It is one SVG that stands alone: no fonts, nothing to load, and the colors of a dark page where the reader has one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from matplotlib.figure import Figure

from optim_lib import pages, plotting
from optim_lib.descent import Run, descend
from optim_lib.landscapes import rosenbrock
from optim_lib.optimizers import SGD, Adam, MomentumSGD
from optim_lib.palette import DARK, LIGHT
from optim_lib.plotting import theme

PICTURE = Path(__file__).parents[1] / ".github" / "race.svg"
START, STEPS = (-1.5, 1.5), 200
RUNNERS = {"gradient descent": (SGD, 0.001), "momentum": (MomentumSGD, 0.001), "Adam": (Adam, 0.1)}
GAP = 12
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
TITLE = "Three optimizers leave the same point of a curved valley"


def runs() -> dict[str, Run]:
    """The paths in the picture."""
    return {
        name: descend(optimizer(learning_rate=rate), rosenbrock, START, STEPS)
        for name, (optimizer, rate) in RUNNERS.items()
    }


def panels() -> list[Figure]:
    """The surface with the paths, and the loss at each step."""
    paths = runs()
    return [
        plotting.contour(rosenbrock, paths, resolution=61),
        plotting.loss_curves({name: run.losses for name, run in paths.items()}),
    ]


def described() -> str:
    """What the picture shows, in words and numbers."""
    ends = ", ".join(f"{name} at {run.losses[-1]:.2g}" for name, run in runs().items())
    return f"Paths and losses of three optimizers on Rosenbrock's banana. After {STEPS} steps {ends}."


def standalone(bodies: list[str], title: str) -> str:
    """One SVG file of several pieces side by side, with the colors of light and dark pages."""
    sizes = [tuple(map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', body).groups())) for body in bodies]
    height = max(tall for _, tall in sizes)
    placed, left = [], 0.0
    for body, (wide, tall) in zip(bodies, sizes, strict=True):
        attributes = f'x="{left:g}" y="{(height - tall) / 2:g}" width="{wide:g}" height="{tall:g}"'
        placed.append(re.sub(r' style="[^"]*" aria-hidden="true" focusable="false"', f" {attributes}", body, count=1))
        left += wide + GAP
    width = left - GAP
    body = "\n".join(placed)

    def colors(values: dict[str, str]) -> str:
        used = set(re.findall(r"var\(--p-(\w+)", body))
        return "".join(f"--p-{name}:{color};" for name, color in values.items() if name in used)

    style = (
        f"svg{{{colors(pages.LIGHT_COLORS)}font-family:{FONT}}}.paper{{fill:{LIGHT['paper']}}}"
        f"@media(prefers-color-scheme:dark){{svg{{{colors(pages.DARK_COLORS)}}}.paper{{fill:{DARK['paper']}}}}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n"
        f'<rect class="paper" width="100%" height="100%"/>\n{body}\n</svg>\n'
    )


def drawn() -> str:
    """The text of the file."""
    return standalone([theme.svg(figure) for figure in panels()], f"{TITLE}. {described()}")


def main() -> int:
    PICTURE.write_text(drawn(), encoding="utf-8")
    print(f"{PICTURE.name}: {described()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
