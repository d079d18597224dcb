"""What AT+CMGL and AT+CMGR may answer; and health, which is read back from the spool's folder."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smscatch.modem.health import MAX_AGE, STATES, Health, read_health, write_health
from smscatch.modem.listing import ListedText, Listing, find_shown, parse_listing
from smscatch.modem.vitals import dbm_of, percent_of

# 3GPP TS 23.040: "How are you?" from +31641600986.
PDU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
WHOLE = ListedText(0, PDU, is_received=True, is_new=True, is_whole=True)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_listing_has_a_reading_for_each_header() -> None:
    lines = ["+CMGL: 0,0,,30", PDU, '+CMGL: 12,1,"Smith, John",30', PDU, "+CMGL: 3,3,,30", PDU]
    read, sent = WHOLE._replace(place=12, is_new=False), WHOLE._replace(place=3, is_new=False, is_received=False)
    assert parse_listing(lines) == Listing([WHOLE, read, sent], is_clean=True)
    assert parse_listing([]) == Listing([], is_clean=True)


@pytest.mark.parametrize("noise", ["^RSSI: 17", "+ZUSIMR:2", "RING"])
def test_named_lines_in_between_are_skipped(noise: str) -> None:
    lines = [noise, "+CMGL: 0,0,,30", noise, PDU, noise]
    assert parse_listing(lines) == Listing([WHOLE], is_clean=True)


@pytest.mark.parametrize("noise", ["what is this", "00FF", "+CMG\xff: 3,1,,25"])
def test_other_lines_leave_it_open_whether_something_is_missing(noise: str) -> None:
    listing = parse_listing(["+CMGL: 0,0,,30", noise, PDU])
    assert listing.readings == [WHOLE]
    assert not listing.is_clean or noise.startswith("+")


@pytest.mark.parametrize("pdu", ["", "00", "ZZ", PDU[:-2], PDU + "00", PDU.replace("07", "0x", 1)])
def test_a_pdu_that_is_not_as_announced_is_not_whole(pdu: str) -> None:
    (reading,) = parse_listing(["+CMGL: 0,0,,30", *([pdu] if pdu else [])]).readings
    assert reading == WHOLE._replace(pdu=pdu, is_whole=False)


@pytest.mark.parametrize("header", ["+CMGL: x,0,,30", "+CMGL:", "+CMGL: 0"])
def test_a_header_that_is_none_makes_the_listing_doubtful(header: str) -> None:
    assert parse_listing([header, PDU]) == Listing([], is_clean=False)


def test_a_single_text_is_shown_without_its_index() -> None:
    assert find_shown(["+CMGR: 0,,30", PDU], 7) == WHOLE._replace(place=7)
    assert find_shown(['+CMGR: 1,"A, B",30', PDU], 7) == WHOLE._replace(place=7, is_new=False)
    assert find_shown(["^RSSI: 17"], 7) is None


@pytest.mark.parametrize(("signal", "dbm", "percent"), [(0, -113, 0), (17, -79, 55), (31, -51, 100), (99, None, None)])
def test_the_signal_is_told_in_dbm_and_percent(signal: int, dbm: int | None, percent: int | None) -> None:
    assert (dbm_of(signal), percent_of(signal)) == (dbm, percent)


def a_health(line: str = "+447700900123", updated_at: datetime = NOW) -> Health:
    return Health(line=line, device="/dev/ttyUSB0", state="ready", updated_at=updated_at, signal_dbm=-79)


def test_health_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = [a_health("+447700900123"), a_health("a/../b")]
    for health in written:
        write_health(tmp_path, health)
    assert list(read_health(tmp_path, NOW).values()) == written
    assert "ready" in STATES


def test_the_health_of_a_link_that_ended_is_stopped(tmp_path: Path) -> None:
    write_health(tmp_path, a_health())
    (health,) = read_health(tmp_path, NOW + MAX_AGE + timedelta(seconds=1)).values()
    assert health.state == "stopped"


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"{", b"[]", b'{"line": 5}', b'{"line":"x","device":"","state":"","updated_at":"2026-01-01T00:00:00"}'],
)
def test_rubbish_beside_a_health_record_is_passed_over(tmp_path: Path, rubbish: bytes) -> None:
    assert read_health(tmp_path, NOW) == {}
    write_health(tmp_path, a_health())
    (tmp_path / "health" / "x.json").write_bytes(rubbish)
    (tmp_path / "health" / "y.json").mkdir()
    assert list(read_health(tmp_path, NOW)) == ["+447700900123"]
