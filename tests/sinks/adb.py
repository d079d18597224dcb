"""An adb that stands for Android's, and a console behind it."""

import re
from pathlib import Path


class FakeAdb:
    """Notes each call, and says and does what it is told."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "adb"
        self._folder = folder
        self.does("printf 'OK\\r\\n'")

    def does(self, then: str) -> None:
        """Have each call end with some lines of sh."""
        script = f'#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each"; done >>{self._folder}/calls\n'
        self.path.write_text(f"{script}echo >>{self._folder}/calls\n{then}\n")
        self.path.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        noted = self._folder / "calls"
        whole = noted.read_text() if noted.exists() else ""
        return [call.split("\n") for call in whole.split("\n\n") if call]


def heard(line: str) -> str:
    """Return what the emulator's console makes of the text in a line (android/telephony/sms.c)."""
    said = re.sub(
        r"\\(?:(n)|(\\)|x([0-9a-f]{2})|u([0-9a-f]{4}))",
        lambda found: "\n" if found[1] else found[2] or chr(int(found[3] or found[4], 16)),
        line,
    )
    return said.encode("utf-16", "surrogatepass").decode("utf-16")
