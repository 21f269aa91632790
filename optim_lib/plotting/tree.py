"""A decision tree to click through: nested HTML details, opened by mouse, finger or keyboard, without any code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from optim_lib.pages import Piece, inline, page_piece, plain

STYLE = """
.uo-plot .up-tree details { border: 0; background: none; box-shadow: none; margin: 0; padding: 0; }
.uo-plot .up-tree summary { cursor: pointer; padding: 5px 8px; border-radius: 6px; font-weight: 600; list-style-position: inside; }
.uo-plot .up-tree summary:hover { background: var(--p-panel); }
.uo-plot .up-tree summary:focus-visible { outline: 2px solid var(--p-s1); outline-offset: 1px; }
.uo-plot .up-tree .up-twigs { margin: 2px 0 6px 13px; padding-left: 12px; border-left: 1.5px solid var(--p-faint); }
.uo-plot .up-tree .up-leaf > summary { font-weight: 400; }
.uo-plot .up-tree .up-advice { font-weight: 600; }
.uo-plot .up-tree dl { margin: 2px 0 8px 26px; max-width: 40rem; }
.uo-plot .up-tree dt { color: var(--p-muted); font-weight: 400; font-size: 13px; margin-top: 5px; }
.uo-plot .up-tree dd { margin: 0; }
.uo-plot .up-verdict { display: inline-block; border: 1.5px solid; border-radius: 9px; padding: 0 7px; margin-left: 6px; font-size: 12.5px; font-weight: 400; }
.uo-plot .up-tree a { color: var(--p-s1); text-decoration: underline; }
"""  # noqa: E501


@dataclass(frozen=True)
class Leaf:
    """An end of the tree.

    Parameters
    ----------
    case, advice : str
        When, and what to do then.
    verdict : str
        What was found, in a few words; it stands beside the advice.
    color : str
        A color of the palette for the verdict: good, bad, warn or muted.
    facts : sequence of (str, str)
        Headings and sentences, shown when the leaf is opened; marks as in `show`.
    links : sequence of (str, str)
        Words, and the page that they lead to.
    """

    case: str
    advice: str
    verdict: str
    color: str
    facts: Sequence[tuple[str, str]]
    links: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Branch:
    """A choice between branches or leaves."""

    case: str
    twigs: Sequence[Branch | Leaf]
    open: bool = False


def tree(root: Branch, *, label: str, caption: str = "") -> Piece:
    """Show a decision tree whose branches open and close.

    Parameters
    ----------
    root : Branch
    label : str
        What the tree is, for a screen reader.
    caption : str, optional

    Examples
    --------
    >>> leaf = Leaf("sparse features", "AdaGrad", "supported", "good", [("Measured", "lowest log loss of eight")])
    >>> tree(Branch("What is it?", [leaf]), label="which optimizer")
    What is it?
    - sparse features: AdaGrad [supported]
        Measured: lowest log loss of eight
    """
    below = f"<figcaption>{inline(caption)}</figcaption>" if caption else ""
    style = "".join(STYLE.split("\n"))
    html = (
        f'<style>{style}</style><div class="up-tree" role="group" aria-label="{escape(label, quote=True)}">'
        f"{_branch_html(root)}</div>{below}"
    )
    text = "\n".join([*_lines(root, 0), *([plain(caption)] if caption else [])])
    return Piece(page_piece(html, "figure"), text)


def _branch_html(branch: Branch) -> str:
    twigs = "".join(_branch_html(twig) if isinstance(twig, Branch) else _leaf_html(twig) for twig in branch.twigs)
    state = " open" if branch.open else ""
    return f'<details{state}><summary>{inline(branch.case)}</summary><div class="up-twigs">{twigs}</div></details>'


def _leaf_html(leaf: Leaf) -> str:
    facts = "".join(f"<dt>{inline(name)}</dt><dd>{inline(text)}</dd>" for name, text in leaf.facts)
    links = " · ".join(f'<a href="{escape(place, quote=True)}">{inline(words)}</a>' for words, place in leaf.links)
    more = f"<dt>Look there</dt><dd>{links}</dd>" if links else ""
    return (
        f'<details class="up-leaf"><summary>{inline(leaf.case)}: <span class="up-advice">{inline(leaf.advice)}</span> '
        f'<span class="up-verdict" style="border-color:var(--p-{leaf.color})">{inline(leaf.verdict)}</span></summary>'
        f"<dl>{facts}{more}</dl></details>"
    )


def _lines(node: Branch | Leaf, depth: int) -> list[str]:
    indent = "  " * (depth - 1)
    if isinstance(node, Leaf):
        first = f"{indent}- {plain(node.case)}: {plain(node.advice)} [{plain(node.verdict)}]"
        return [first, *(f"{indent}    {name}: {plain(text)}" for name, text in node.facts)]
    first = plain(node.case) if depth == 0 else f"{indent}- {plain(node.case)}"
    return [first, *(line for twig in node.twigs for line in _lines(twig, depth + 1))]
