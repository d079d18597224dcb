"""For MkDocs (mkdocs.yml): links out of docs/, and what programs read: llms.txt, and each page as it was written.

The form of llms.txt is that of https://llmstxt.org.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

ROOT = Path(__file__).parent.parent
OUTWARD = re.compile(r"\[([^\]]*)\]\((\.\.(?:/[^)#\s]*))(#[^)]*)?\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return a page's text in which a link to a file of the repository is its words and its path."""
    folder = Path(page.file.abs_src_path).parent

    def told(link: re.Match[str]) -> str:
        words, target = link[1], (folder / link[2]).resolve()
        if target.is_relative_to(ROOT / "docs"):
            return link[0]
        if not target.exists():
            raise PluginError(f"{page.file.src_path}: {link[2]} is not there")
        path = f"`{target.relative_to(ROOT)}`"
        return path if words.strip("`") in path else f"{words} ({path})"

    return OUTWARD.sub(told, markdown)


def on_post_build(config: Any, **_: Any) -> None:
    """Put each page beside its HTML as it was written, and llms.txt, which lists them."""
    docs, site = Path(config.docs_dir), Path(config.site_dir)
    for page in docs.rglob("*.md"):
        shutil.copy(page, site / page.relative_to(docs))
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", "", *_contents(config.nav, docs), ""]
    (site / "llms.txt").write_text("\n".join(lines), encoding="utf-8")


def _contents(nav: list[dict[str, Any]], docs: Path) -> Iterator[str]:
    for entry in nav:
        for title, below in entry.items():
            if isinstance(below, str):
                yield f"- [{title}]({below}): {_beginning(docs / below)}"
            else:
                yield from ("", f"## {title}", "", *_contents(below, docs))


def _beginning(page: Path) -> str:
    """Return the first sentence of a page, without its marks."""
    _, _, rest = page.read_text(encoding="utf-8").partition("\n\n")
    text = next((part for part in rest.split("\n\n") if not part.startswith(("|", "#", "`", "!"))), "")
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", " ".join(text.split()))
    return re.split(r"(?<=\.) ", plain, maxsplit=1)[0]
