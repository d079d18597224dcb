"""What ModemManager tells of a modem: which one is meant, and whether it can be read."""

import os
from pathlib import Path

import pytest

from smscatch.engines.managed import MODEM, ManagedModem, choose
from smscatch.engines.retrying import EngineTrouble

IMEI = "490154203237518"


def a_modem(**facts: object) -> ManagedModem:
    told = {"EquipmentIdentifier": IMEI, "Model": "E173", "Ports": [("ttyUSB0", 3), ("wwan0", 2)], "State": 8}
    return ManagedModem("/org/freedesktop/ModemManager1/Modem/0", {MODEM: told | facts})


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    for name, value in (("idVendor", "12d1"), ("idProduct", "1001"), ("serial", "A7")):
        (tmp_path / name).write_text(f"{value}\n")
    os.symlink("/dev/ttyUSB0", tmp_path / "by-id")
    return tmp_path


@pytest.mark.parametrize("device", ["auto", f"imei:{IMEI}", "/dev/ttyUSB0", "ttyUSB0", "usb:12d1:1001", "serial:A7"])
def test_a_modem_is_found_by_whatever_names_it(device: str, usb: Path) -> None:
    modem = a_modem(Device=str(usb))
    assert choose([a_modem(EquipmentIdentifier="1", Ports=[]), modem], device).fact("Model") == "E173"
    assert modem.is_at(str(usb / "by-id"))


@pytest.mark.parametrize(
    "device", ["imei:490154203237519", "/dev/ttyUSB7", "usb:12d1:1002", "serial:7", "socket://a:1"]
)
def test_of_a_modem_that_is_not_there_the_others_are_said(device: str, usb: Path) -> None:
    with pytest.raises(EngineTrouble, match=IMEI) as caught:
        choose([a_modem(Device=str(usb))], device)
    assert caught.value.state == "port_missing"


@pytest.mark.parametrize(
    ("facts", "state", "said"),
    [
        ({"State": 2, "UnlockRequired": 2}, "pin_needed", "--pin"),
        ({"State": 2, "UnlockRequired": 4}, "puk", "--puk"),
        ({"State": 2, "UnlockRequired": 8}, "sim_lock", "another SIM"),
        ({"State": -1, "StateFailedReason": 2}, "no_sim", "SIM"),
        ({"State": -1, "StateFailedReason": 5}, "no_sim", "SIM"),
        ({"State": -1, "StateFailedReason": 1}, "starting", "gave the modem up"),
    ],
)
def test_a_modem_that_cannot_be_read_has_a_sentence_that_says_what_to_do(
    facts: dict[str, object], state: str, said: str
) -> None:
    trouble = a_modem(**facts).trouble()
    assert trouble is not None
    assert (trouble.state, said in str(trouble)) == (state, True)


@pytest.mark.parametrize("state", range(3, 12))
def test_a_modem_that_can_be_enabled_or_is_enabled_can_be_read(state: int) -> None:
    assert a_modem(State=state).trouble() is None
