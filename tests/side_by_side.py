"""Tests for pytest-xdist, each with a virtual line and a code of its own: few for a test, many for a benchmark.

A text goes to the number of its test alone, through Twilio's send API; whoever reads another's code fails.
"""

from pathlib import Path
from typing import NamedTuple

_SIGN_UP = """
import os
import secrets
import httpx2
import pytest

@pytest.fixture(scope="session")
def app(sms):
    with httpx2.Client(auth=("AC1", sms.key), verify=False, timeout=300) as http:
        def send(number, text):
            form = {"To": number, "From": "Acme", "Body": text}
            http.post(f"{sms.send_url('twilio')}/2010-04-01/Accounts/AC1/Messages.json", data=form).raise_for_status()
        yield send

@pytest.mark.parametrize("n", range(TESTS))
def test_sign_up(app, sms, sms_line, n):
    code = f"{secrets.randbelow(10**6):06}"
    app(sms_line.number, f"Your Acme code is {code}")
    assert sms_line.wait_for_code(sender="Acme", timeout=300) == code
    assert [message.code for message in sms.messages(line=sms_line.number)] == [code]
    number = f"{sms_line.number}\\n".encode()
    done = os.open("numbers", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(done, number)  # whole, whoever else writes
    os.close(done)
"""


class SideBySide(NamedTuple):
    """A project of such tests."""

    folder: Path
    tests: int

    def write(self) -> None:
        """Write the tests."""
        (self.folder / "test_sign_up.py").write_text(_SIGN_UP.replace("TESTS", str(self.tests)))

    def numbers(self) -> list[str]:
        """Return the numbers that the tests which passed had, in no order."""
        return (self.folder / "numbers").read_text().split()
