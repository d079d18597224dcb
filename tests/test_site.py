"""The documentation as a whole: what it quotes is said, and what leads out of it is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
QUOTED = re.compile(r"^\| (.*?) \| ", re.MULTILINE)


def said() -> str:
    """All that stands in our sources, with sentences that go over several lines in one."""
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    return re.sub(r'"\s+f?"', "", text)


def quoted() -> list[str]:
    """The pieces of the sentences in the tables, between what is different for everybody."""
    cells = QUOTED.findall((DOCS / "troubleshooting.md").read_text("utf-8"))
    pieces = [piece.strip(" |(:.,") for cell in cells for piece in re.split("…", cell)]
    return sorted({piece for piece in pieces if len(piece) > 5} - {"it says"})


def test_what_the_troubleshooting_quotes_is_said() -> None:
    everything = said()
    assert [piece for piece in quoted() if piece not in everything] == []


def test_the_first_example_is_the_one_of_the_readme_which_is_run() -> None:
    (shown,) = re.findall(r"^```python\n(.*?)^```", (DOCS / "index.md").read_text(), re.DOTALL | re.MULTILINE)
    assert f"```python\n{shown}```" in (ROOT / "README.md").read_text()


def test_every_page_is_in_the_contents_of_the_site_and_leads_to_what_is_there() -> None:
    contents = (ROOT / "mkdocs.yml").read_text()
    for page in DOCS.rglob("*.md"):
        assert f": {page.relative_to(DOCS)}\n" in contents, page
        for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} leads to {target}"
