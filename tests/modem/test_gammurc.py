"""The configuration for gammu-smsd as text; that gammu-smsd takes it is in test_simulator_gammu."""

from configparser import ConfigParser
from pathlib import Path

import pytest

from smscatch.errors import BadSetting
from smscatch.modem.gammurc import render_gammurc


def read(text: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.read_string(text)
    return parser


def test_it_names_the_device_the_line_and_the_hook() -> None:
    rc = read(
        render_gammurc(Path("/dev/serial/by-id/usb-HUAWEI"), "+447700900123", ["/usr/bin/python3", "/a b/hook.py"])
    )
    assert rc["gammu"]["device"] == "/dev/serial/by-id/usb-HUAWEI"
    assert rc["smsd"]["phoneid"] == "+447700900123"
    assert rc["smsd"]["runonreceive"] == "exec /usr/bin/python3 '/a b/hook.py'"


def test_it_never_gives_gammu_the_pin() -> None:
    assert "pin" not in read(render_gammurc(Path("/dev/ttyUSB0"), "line", ["hook"]))["smsd"]


def test_what_the_shell_would_take_apart_is_quoted() -> None:
    rc = read(render_gammurc(Path("/dev/ttyUSB0"), "line", ["/bin/hook", "$HOME", "a; b", "it's"]))
    assert rc["smsd"]["runonreceive"] == """exec /bin/hook '$HOME' 'a; b' 'it'"'"'s'"""


@pytest.mark.parametrize(
    ("device", "phone_id", "hook", "named"),
    [
        ("/dev/tty\nUSB0", "line", ["hook"], "device"),
        ("/dev/ttyUSB0", "line\n[smsd]", ["hook"], "phone_id"),
        ("/dev/ttyUSB0", "", ["hook"], "phone_id"),
        ("/dev/ttyUSB0", " line", ["hook"], "phone_id"),
        ("/dev/ttyUSB0", "line", ["hook", "a\r\nb"], "hook"),
        ("/dev/ttyUSB0", "line", ["hook", "a\0b"], "hook"),
        ("/dev/ttyUSB0", "line", [], "hook"),
    ],
)
def test_a_value_that_the_file_cannot_hold_is_refused(device: str, phone_id: str, hook: list[str], named: str) -> None:
    with pytest.raises(BadSetting, match=f"^{named} "):
        render_gammurc(Path(device), phone_id, hook)
