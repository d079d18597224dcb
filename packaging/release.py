"""Whether a release may be made: its version is the same wherever it stands. `python packaging/release.py`."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import smscatch

ROOT = Path(__file__).parent.parent
# The server cannot do without these, and no tool but us knows.
NEEDED = ("py.typed", "web/templates/inbox.html", "web/catalogues/de.toml", "codes/words.txt", "pytest_plugin.py")


def disagreements(version: str, npm: str, changelog: str, tags: list[str]) -> Iterator[str]:
    """Yield a sentence for each place without `version`: package.json, CHANGELOG.md, the tags of the commit."""
    if npm != version:
        yield f"clients/js/package.json has version {npm}, and src/smscatch/__init__.py {version}: make them one."
    if not re.search(rf"^## {re.escape(version)}\b", changelog, re.MULTILINE):
        yield f'CHANGELOG.md has no "## {version}": name what is under "Unreleased" so, with the date.'
    if f"v{version}" not in tags:
        yield f"This commit has no tag v{version}: git tag v{version}."


def lacking(wheel: Path) -> list[str]:
    """Return what a wheel should have and has not."""
    with ZipFile(wheel) as archive:
        return sorted({f"smscatch/{name}" for name in NEEDED} - set(archive.namelist()))


def main(arguments: list[str]) -> int:
    """Say what keeps a release from being made; with a wheel, what that lacks. Return 1 if there is anything."""
    if arguments:
        found = [f"{arguments[0]} lacks {name}." for name in lacking(Path(arguments[0]))]
    else:
        tags = subprocess.run(
            ["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        npm = json.loads((ROOT / "clients/js/package.json").read_text())["version"]
        changelog = (ROOT / "CHANGELOG.md").read_text()
        found = list(disagreements(smscatch.__version__, npm, changelog, tags.stdout.split()))
    sys.stderr.writelines(f"{sentence}\n" for sentence in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
