"""How a modem's port is named in the settings: a path, an address in the network, or what to look for on USB.

Nothing is opened or looked for here.
"""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

DEVICE_FORM = (
    "a path such as /dev/serial/by-id/…, auto, usb:12d1:1001 (USB id), serial:… (USB serial number), imei:…,"
    " socket://host:port or rfc2217://host:port; http://host for hilink"
)
# Tried in this order where none is set.
SPEEDS = (115200, 9600, 19200, 38400, 57600, 230400, 460800)
ACCEPTED_SPEEDS = tuple(sorted((1200, 2400, 4800, *SPEEDS, 921600)))
SPEED_FORM = f"one of {', '.join(map(str, ACCEPTED_SPEEDS))}"
_SEARCHED = {"auto": "", "usb": r"[0-9a-f]{4}:[0-9a-f]{4}", "serial": r"\S+", "imei": r"[0-9]{14,16}"}
_NET = ("socket", "rfc2217")
_WEB = ("http", "https")


class DeviceName(NamedTuple):
    """What names a port: `kind` and the `value` that follows it.

    `kind` is path, socket, rfc2217, http, https, auto, usb, serial or imei.
    """

    kind: str
    value: str

    @property
    def is_searched(self) -> bool:
        """Whether the port is to be looked for among those of USB."""
        return self.kind in _SEARCHED

    @property
    def is_remote(self) -> bool:
        """Whether the port is at another machine."""
        return self.kind in _NET

    @property
    def is_web(self) -> bool:
        """Whether it is no port but a web page."""
        return self.kind in _WEB

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of an address in the network."""
        parts = urlsplit(f"//{self.value}")
        return parts.hostname or "", parts.port or 0


def parse_device(text: str) -> DeviceName:
    """Return what names a port. Raises ValueError if it is none of DEVICE_FORM."""
    kind, separator, value = text.partition(":")
    if kind in _NET and value.startswith("//"):
        found = DeviceName(kind, value[2:].rstrip("/"))
        if not all(found.address):  # a port that is none raises by itself
            raise ValueError(text)
        return found
    if kind in _WEB and value.startswith("//"):
        page = DeviceName(kind, value[2:].rstrip("/"))
        if not page.address[0] or "@" in value:
            raise ValueError(text)
        return page
    if kind in _SEARCHED and bool(separator) == (kind != "auto"):
        value = value.lower() if kind == "usb" else value
        if not re.fullmatch(_SEARCHED[kind], value):
            raise ValueError(text)
        return DeviceName(kind, value)
    if not text.strip() or "://" in text:
        raise ValueError(text)
    return DeviceName("path", text)


def parse_speed(text: str) -> int:
    """Return a speed in baud. Raises ValueError if it is none of ACCEPTED_SPEEDS."""
    speed = int(text)
    if speed not in ACCEPTED_SPEEDS:
        raise ValueError(text)
    return speed
