"""The page of the ledger, as MyST Markdown that the book's cells show."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from docutils.nodes import make_id

from experiments.claims.ledger import VERDICTS, Claim, load_ledger
from optim_lib.pages import Piece

CHAPTERS = Path(__file__).parents[2] / "chapters"
CLASSES = dict(zip(VERDICTS, ("holds", "partly", "level", "not", "disputed", "untested"), strict=True))

# The leaves of the decision tree, in the article's order.
TREE = (
    "Computer vision, from scratch",
    "Computer vision, fine-tuning",
    "Computer vision, large batch",
    "Transformers, from scratch",
    "Transformers, fine-tuning",
    "Transformers, very large",
    "Reinforcement learning, policies",
    "Reinforcement learning, values",
    "General, unsure",
    "General, poor generalization",
    "General, sparse features",
)


class Markdown(str):
    """Text that a notebook shows as Markdown."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)


def summary(claims: Sequence[Claim] | None = None) -> Markdown:
    """How many claims have which verdict, and the style of the page."""
    claims = load_ledger() if claims is None else claims
    counts = Counter(claim.verdict for claim in claims)
    badges = "\n".join(f"- {badge(verdict)} {counts[verdict]}" for verdict in VERDICTS)
    return Markdown(f"{_style()}**{len(claims)} claims.**\n\n{badges}\n")


def _style() -> str:
    return f"<style>\n{(Path(__file__).parent / 'claims.css').read_text(encoding='utf-8')}</style>\n\n"


def decision_tree() -> Markdown:
    """The leaves of the decision tree, each with its verdict and the way to its claim."""
    leaves = {claim.leaf: claim for claim in load_ledger() if claim.leaf}
    rows = [(leaf, _link(leaves[leaf]), badge(leaves[leaf].verdict)) for leaf in TREE if leaf in leaves]
    return Markdown(_table(("the question", "the usual answer", "verdict"), rows))


def overview() -> Markdown:
    """All claims in one table, folded."""
    rows = [(_link(claim), str(int(claim.chapter[:2])), badge(claim.verdict)) for claim in load_ledger()]
    table = _table(("the claim", "chapter", "verdict"), rows)
    return Markdown(f":::{{dropdown}} All claims in one table\n{table}\n:::\n")


def verdicts(*ids: str) -> Piece:
    """Some claims, each with its verdict and a link to the ledger: for a chapter.

    As HTML, since a page of the book takes no tables from the Markdown of a notebook's cell.
    """
    claims = [claim for name in ids for claim in load_ledger() if claim.id == name]
    cells = [(f'<a href="claims.html#{claim.id}">{escape(claim.claim)}</a>', badge(claim.verdict)) for claim in claims]
    rows = "".join(f"<tr><td>{claim}</td><td>{verdict}</td></tr>" for claim, verdict in cells)
    head = "<thead><tr><th>what is often said</th><th>verdict</th></tr></thead>"
    table = f'<table class="table">{head}<tbody>{rows}</tbody></table>'
    scrolls = f'<div class="pst-scrollable-table-container">{table}</div>'
    return Piece(_style() + scrolls, "\n".join(f"{claim.claim} {claim.verdict}" for claim in claims))


def what_held() -> Markdown:
    """The claims that have a brief name, by verdict: for the conclusion."""
    lines = []
    for word in VERDICTS:
        named = [
            f"[{claim.brief}](claims.html#{claim.id})"
            for claim in load_ledger()
            if claim.brief and claim.verdict == word
        ]
        if named:
            lines.append(f"- {badge(word)} {'; '.join(named)}.")
    return Markdown(_style() + "\n".join(lines))


def section(number: int) -> Markdown:
    """All claims of a section of the article."""
    return Markdown("\n".join(entry(claim) for claim in load_ledger() if claim.section == number))


def entry(claim: Claim) -> str:
    """One claim: what is claimed, the verdict, what was measured, contrast by contrast, how, and where."""
    below = [claim.how, _seeds(claim), _where(claim)]
    if claim.cited:
        below.append("Sources: {cite:t}`" + ",".join(claim.cited) + "`.")
    alone = "cannot tell" if claim.here == "not testable here" else f"say: {claim.here}"
    runs = f"The runs alone {alone}. " if claim.verdict == "disputed" else ""
    by = f" by {claim.by}" if claim.by else ""
    return "\n".join(
        [
            "::::{container} uo-claim",
            "",
            f"({claim.id})=",
            "",
            f"**{claim.claim}** {badge(claim.verdict)}{by}" + (" (a common belief)" if claim.belief else ""),
            "",
            runs + claim.sentence(),
            "",
            *(f"- {line}" for line in claim.evidence()),
            "",
            ":::{container} uo-claim-how",
            " ".join(part for part in below if part),
            ":::",
            "::::",
            "",
        ]
    )


def _link(claim: Claim) -> str:
    return f"[{claim.claim}]({claim.id})"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def badge(verdict: str) -> str:
    return f'<span class="uo-verdict uo-verdict-{CLASSES[verdict]}">{escape(verdict)}</span>'


def _seeds(claim: Claim) -> str:
    count = claim.seeds() if claim.is_measured else 0
    return f"{count} seeds: median (lowest to highest)." if count > 1 else ""


def _where(claim: Claim) -> str:
    """The way to the part of the chapter that has the experiment, or its smaller live version."""
    number, heading = int(claim.chapter[:2]), heading_of(claim.chapter, claim.cell)
    if not (CHAPTERS / f"{claim.chapter}.ipynb").exists():
        return f"Chapter {number}."
    place = f"#{make_id(heading)}" if heading else ""
    words = f"chapter {number}" + (f", {escape(heading)}" if heading else "")
    live = "Live in" if claim.cell else "More in"
    return f'{live} <a class="reference internal" href="{claim.chapter}.html{place}">{words}</a>.'


def heading_of(chapter: str, cell: str) -> str:
    """The heading above a cell of a chapter, without marks; empty if there is no such cell."""
    heading = ""
    for found in _cells(chapter):
        if found["cell_type"] == "markdown":
            titles = [line for line in "".join(found["source"]).splitlines() if line.startswith("##")]
            heading = titles[-1].lstrip("#").strip().strip("*") if titles else heading
        elif found["id"] == cell:
            return heading
    return ""


@cache
def _cells(chapter: str) -> list[dict]:
    path = CHAPTERS / f"{chapter}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))["cells"] if path.exists() else []
