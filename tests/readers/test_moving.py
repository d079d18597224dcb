"""The pages of docs/moving: the suite that stands there is run as it is after the change of its base URL."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timezone
from pathlib import Path
from typing import Any

from smscatch.settings import load_settings
from tests.readers.conftest import LABEL, LINE, House

PAGES = Path(__file__).parent.parent.parent / "docs" / "moving"
URL = "http://127.0.0.1:7672"


def changes(page: str) -> list[tuple[list[str], list[str], str]]:
    """Return of each diff on a page the lines that go, the lines that come, and what there is afterwards.

    What a program was before is Python too.
    """
    found = []
    for block in re.findall(r"^```diff\n(.*?)^```$", (PAGES / page).read_text(), re.DOTALL | re.MULTILINE):
        lines = block.splitlines()
        if "def test_" in block:
            compile("\n".join(line[1:] for line in lines if not line.startswith("+")), page, "exec")
        gone, come = ([line[1:] for line in lines if line.startswith(sign)] for sign in "-+")
        found.append((gone, come, "\n".join(line[1:] for line in lines if not line.startswith("-"))))
    return found


class App:
    """The application under test: it texts a code, and takes that alone."""

    def __init__(self, house: House) -> None:
        self._house = house

    def sign_up(self, number: str) -> None:
        house, line, text = self._house, f"+{number.removeprefix('+')}", "Your Example code is 482913"
        leases = [lease for lease in house.do(house.leases.held([line])) if lease.released_at is None]
        if leases:
            house.receive_for(leases[0], text=text)
        else:
            house.receive(line=line, text=text)

    def confirm(self, code: str | None) -> bool:
        return code == "482913"


def run_suite(program: str, house: House, **given: object) -> Mapping[str, Any]:
    """Run a suite against a house, and return what it defined."""
    app = App(house)
    names: dict[str, Any] = {"datetime": datetime, "timezone": timezone, "time": time, "re": re, "PHONE": LINE} | given
    names |= {"sign_up": app.sign_up, "confirm": app.confirm}
    exec(program.replace(URL, house.url), names)
    for name in [name for name in names if name.startswith("test_")]:
        names[name]()
    return names


def test_a_suite_moves_from_mailosaur_by_its_base_url_alone(house: House, tmp_path: Path) -> None:
    (gone, come, program), (_, _, config) = changes("mailosaur.md")
    assert [line.split("  #")[0].replace(f', base_url="{URL}/"', "") for line in come] == gone
    house.receive(text="Your Example code is 111111", received_at=datetime(2026, 1, 1, tzinfo=UTC))
    names = run_suite(program, house, API_KEY=house.key("read"), SERVER=LABEL)
    names["client"].messages.session.close()
    path = tmp_path / "smscatch.toml"
    path.write_text(config)
    assert load_settings(environ={"SMSCATCH_CONFIG": str(path)}).lines[LINE].label == LABEL


def test_a_suite_moves_from_a_number_rented_at_twilio_by_its_base_url_alone(house: House) -> None:
    ((gone, come, program),) = changes("twilio.md")
    assert (gone, come) == ([], [f'client.api.base_url = "{URL}"'])
    house.receive(text="Your Example code is 111111", received_at=datetime(2026, 1, 1, tzinfo=UTC))
    run_suite(program, house, ACCOUNT_SID="AC" + "0" * 32, AUTH_TOKEN=house.key("read"))


def test_a_suite_moves_from_a_number_rented_at_mailslurp_to_a_lease(house: House) -> None:
    ((_, _, program),) = changes("mailslurp.md")
    house.receive(text="Your Example code is 111111")
    run_suite(program, house, API_KEY=house.key("read", "lease"), LABEL=LABEL)


def test_a_suite_moves_from_sms_gammu_gateway_to_a_lease_and_its_modem_to_a_line(house: House, tmp_path: Path) -> None:
    (_, _, program), (_, _, config) = changes("sms-gammu-gateway.md")
    house.receive(text="Your Example code is 111111")
    run_suite(program, house, API_KEY=house.key("read", "lease"))
    path = tmp_path / "smscatch.toml"
    path.write_text(config)
    assert load_settings(environ={"SMSCATCH_CONFIG": str(path)}).lines[LINE].device == "auto"


def test_who_polled_the_script_of_2018_polls_here_or_waits(house: House) -> None:
    (_, _, polling), (_, _, waiting), _ = changes("script-of-2018.md")
    house.receive(text="Your Example code is 111111", received_at=datetime(2026, 1, 1, tzinfo=UTC))
    run_suite(polling, house, API_KEY=house.key("read"))
    run_suite(waiting, house, API_KEY=house.key("read", "lease"))
