"""Which engine reads a line, and what is said where its package is missing."""

import sys
from pathlib import Path

import pytest

from smscatch.engines import reader_of
from smscatch.errors import CannotStart
from smscatch.settings import LineSettings
from smscatch.settings.lines import ENGINES
from tests.modem.links import LINE


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_of_the_settings_can_be_had(engine: str, tmp_path: Path) -> None:
    assert callable(reader_of(LINE, LineSettings(engine=engine, device="auto"), tmp_path))


def test_where_the_package_of_an_engine_is_missing_the_command_that_installs_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "dbus_fast"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("modemmanager", "managerbus"):
        monkeypatch.delitem(sys.modules, f"smscatch.engines.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "dbus_fast", None)
    with pytest.raises(CannotStart, match=r"pip install 'smscatch\[modemmanager\]'"):
        reader_of(LINE, LineSettings(engine="modemmanager", device="auto"), tmp_path)
