"""For MkDocs (mkdocs.yml): what leads out of docs/ is in the repository, and no page of the site."""

import re
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
