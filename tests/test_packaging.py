"""The images in packaging/docker: what they set is settings of ours, and what they run are our commands."""

import re
from pathlib import Path

import pytest

from smscatch.cli import make_parser
from smscatch.cli.catcher import settings_of
from smscatch.settings import load_settings
from tests.surroundings import bare_environ

DOCKERFILE = (Path(__file__).parent.parent / "packaging" / "docker" / "Dockerfile").read_text()
INSTALLED, CATCH, SERVE = (stage.replace("\\\n", "") for stage in DOCKERFILE.split("\nFROM ")[-3:])


def environ_of(*stages: str) -> dict[str, str]:
    """Return the variables that stages of the image set."""
    lines = [line for stage in stages for line in stage.splitlines() if line.startswith("ENV ")]
    return {found[1]: found[2] for line in lines for found in re.finditer(r"(SMSCATCH_\w+)=(\S+)", line)}


def test_the_image_that_serves_is_reached_from_outside_and_keeps_all_on_its_volume() -> None:
    settings = load_settings(environ=bare_environ(**environ_of(INSTALLED, SERVE)))
    assert (settings.host, settings.port, settings.smpp_server_port) == ("0.0.0.0", 7672, None)
    volume = re.search(r"^VOLUME (\S+)", SERVE, re.MULTILINE)
    assert volume is not None
    assert settings.store.startswith(f"sqlite:///{volume[1]}/")
    assert str(settings.spool).startswith(f"{volume[1]}/")


def test_the_image_that_catches_listens_where_it_says_and_calls_applications_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environ_of(INSTALLED, CATCH).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SMSCATCH_ADMIN_KEY", "only-for-this-job-0000")
    settings = settings_of("/tmp/any", None, None, None)
    assert (settings.host, settings.smpp_server_host) == ("0.0.0.0", "0.0.0.0")
    exposed = {int(port) for port in re.findall(r"^EXPOSE (\d+)", INSTALLED + CATCH, re.MULTILINE)}
    assert exposed == {settings.port, settings.smpp_server_port}
    assert settings.admin_key == "only-for-this-job-0000"
    assert settings.calls_private


@pytest.mark.parametrize("stage", [CATCH, SERVE])
def test_an_image_runs_a_command_of_ours_and_not_as_root(stage: str) -> None:
    command = re.search(r"^CMD (.+)", stage, re.MULTILINE)
    assert command is not None
    words = re.findall(r'"([^"]+)"', command[1])
    assert words[0] == "smscatch"
    make_parser().parse_args(words[1:])
    assert re.search(r"^USER [1-9]\d*$", INSTALLED, re.MULTILINE)
