"""What keeps a release from being made. The release itself is built by scripts/release, not here."""

import importlib.util
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest


@pytest.fixture(scope="module")
def release() -> ModuleType:
    path = Path(__file__).parent.parent / "packaging" / "release.py"
    spec = importlib.util.spec_from_file_location("release", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_release_has_one_version_in_both_packages_the_changelog_and_the_tag(release: ModuleType) -> None:
    assert list(release.disagreements("1.2.3", "1.2.3", "# Changelog\n\n## 1.2.3 (2026-12-01)\n", ["v1.2.3"])) == []


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (("1.2.2", "## 1.2.3\n", ["v1.2.3"]), "package.json has version 1.2.2"),
        (("1.2.3", "## Unreleased\n## 1.2.30\n", ["v1.2.3"]), 'has no "## 1.2.3"'),
        (("1.2.3", "## 1.2.3\n", ["v1.2.2"]), "git tag v1.2.3"),
    ],
)
def test_a_place_with_another_version_is_named(
    release: ModuleType, places: tuple[str, str, list[str]], told: str
) -> None:
    [sentence] = release.disagreements("1.2.3", *places)
    assert told in sentence


def test_a_wheel_without_a_file_that_the_server_needs_is_none(release: ModuleType, tmp_path: Path) -> None:
    package = release.ROOT / "src" / "smscatch"
    with ZipFile(tmp_path / "whole.whl", "w") as whole, ZipFile(tmp_path / "less.whl", "w") as less:
        for name in release.NEEDED:
            whole.write(package / name, f"smscatch/{name}")
            if name != "codes/words.txt":
                less.write(package / name, f"smscatch/{name}")
    assert release.lacking(tmp_path / "whole.whl") == []
    assert release.lacking(tmp_path / "less.whl") == ["smscatch/codes/words.txt"]
