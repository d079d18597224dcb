"""Sticks that are not modems yet: those that show themselves as a CD drive with a driver, until they are switched.

No switching here: usb_modeswitch(1) does that.
"""

from pathlib import Path
from typing import NamedTuple

# Makers of such modems (USB vendor ids, usb.ids).
MAKERS = {
    "0af0": "Option",
    "0f3d": "AirPrime",
    "1199": "Sierra Wireless",
    "12d1": "Huawei",
    "1410": "Novatel Wireless",
    "19d2": "ZTE",
    "1bbb": "Alcatel",
    "1c9e": "Longcheer",
    "2357": "TP-Link",
}
# Of the USB interface classes (usb.org, "Defined Class Codes").
_MASS_STORAGE = "08"


class StickDrive(NamedTuple):
    """A stick that is still a CD drive: its USB id `vendor:product`, and who made it."""

    usb_id: str
    maker: str

    def __str__(self) -> str:
        return f"A stick of {self.maker} ({self.usb_id}) still shows itself as a CD drive"


def list_drives(sys: Path) -> list[StickDrive]:
    """Return the sticks below a folder like /sys that have no interface but a drive's, in the order of their places."""
    found = []
    for device in sorted((sys / "bus" / "usb" / "devices").glob("*/idVendor")):
        vendor, product = _read(device).lower(), _read(device.parent / "idProduct").lower()
        classes = {_read(path) for path in device.parent.glob("*/bInterfaceClass")}
        if vendor in MAKERS and classes == {_MASS_STORAGE}:
            found.append(StickDrive(f"{vendor}:{product}", MAKERS[vendor]))
    return found


def _read(path: Path) -> str:
    """Return what a small file of the kernel says, stripped; empty if it is gone."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
