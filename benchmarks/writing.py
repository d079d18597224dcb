"""The figures of a benchmark in the documentation: a table and a plot (SVG) where docs/performance.md has its name.

Between `<!-- benchmark NAME -->` and `<!-- end -->`. The values of all rounds are in docs/images/performance-NAME.json.
"""

import json
import re
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.beside import Row

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "performance.md"
ROW_HEIGHT, WIDTH, LABEL_WIDTH, BAR_HEIGHT = 44, 760, 380, 14
OURS, BARE = "#2f6f4f", "#9a9a9a"


def write(name: str, rows: Sequence[Row], told: Sequence[dict[str, Any]]) -> None:
    """Put the figures of a benchmark in the place of those that are there."""
    (DOCS / "images" / f"performance-{name}.json").write_text(json.dumps(told, indent=1) + "\n")
    (DOCS / "images" / f"performance-{name}.svg").write_text(plot(rows))
    place = re.compile(rf"(<!-- benchmark {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    content = f"{table(rows)}\n![The same as bars](images/performance-{name}.svg)\n\n"
    page, count = place.subn(lambda found: f"{found[1]}\n{content}{found[2]}", PAGE.read_text())
    if count != 1:
        raise SystemExit(f"{PAGE} has no place for it: <!-- benchmark {name} --> and <!-- end -->.")
    PAGE.write_text(page)


def table(rows: Sequence[Row]) -> str:
    """Return the medians, with the least and the most of all rounds, as a table in Markdown."""
    lines = ["| | ours | beside it | ratio |", "|---|---|---|---|"]
    lines += [
        f"| {row.what} | {_spread(row.ours, row.unit)} | {_spread(row.bare)} | {row.ratio():.2f} |" for row in rows
    ]
    return "\n".join(lines) + "\n"


def _spread(values: Sequence[float], unit: str = "") -> str:
    return (
        f"{_number(statistics.median(values))} {unit}".strip() + f" ({_number(min(values))} to {_number(max(values))})"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def plot(rows: Sequence[Row]) -> str:
    """Return two bars a row: ours, and under it what stands beside it."""
    drawn = "".join(_bars(row, number * ROW_HEIGHT) for number, row in enumerate(rows))
    size = f'width="{WIDTH}" height="{len(rows) * ROW_HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">{drawn}</svg>\n'


def _bars(row: Row, top: int) -> str:
    ours, bare = statistics.median(row.ours), statistics.median(row.bare)
    scale = (WIDTH - LABEL_WIDTH - 60) / max(ours, bare)
    label = f'<text x="0" y="{top + 20}" fill="#555">{escape(row.what)}</text>'
    told = f'<text x="{LABEL_WIDTH + ours * scale + 6:.0f}" y="{top + 16}" fill="{OURS}">× {row.ratio():.2f}</text>'
    return label + _bar(ours * scale, top + 5, OURS) + _bar(bare * scale, top + 21, BARE) + told


def _bar(width: float, top: int, colour: str) -> str:
    return f'<rect x="{LABEL_WIDTH}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}" fill="{colour}"/>'
