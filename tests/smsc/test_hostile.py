"""Whatever comes instead of SMPP ends in an answer or in the end of its connection, and harms nobody else."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.smpp.pdu import CommandId, Frame, Status, Tag
from smscatch.smsc.judging import NotAccepted, read_submitted
from tests.smsc.esme import OurSmsc, body_of, our_smsc

COMMANDS = (CommandId.SUBMIT_SM, CommandId.DATA_SM, CommandId.SUBMIT_MULTI)
BODIES = (
    body_of(),
    body_of(b"\x05\x00\x03\x01\x02\x01rest", esm_class=0x40),
    body_of(b"", tlvs=((Tag.MESSAGE_PAYLOAD, b"x"),)),
)


@given(st.sampled_from(COMMANDS), st.binary(max_size=80))
def test_any_octets_are_read_or_refused(command: CommandId, octets: bytes) -> None:
    assert_read_or_refused(Frame(command, 0, 1, octets))


@given(st.sampled_from(COMMANDS), st.sampled_from(BODIES), st.data())
def test_a_body_with_octets_changed_or_missing_is_read_or_refused(
    command: int, body: bytes, data: st.DataObject
) -> None:
    changed = bytearray(body[: data.draw(st.integers(0, len(body)))])
    for place, octet in data.draw(st.lists(st.tuples(st.integers(0, len(body)), st.integers(0, 255)), max_size=4)):
        if place < len(changed):
            changed[place] = octet
    assert_read_or_refused(Frame(command, 0, 1, bytes(changed)))


def assert_read_or_refused(frame: Frame) -> None:
    with contextlib.suppress(NotAccepted):  # and nothing else
        read_submitted(frame)


@pytest.fixture
async def smsc(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[OurSmsc]:
    async with our_smsc(inbox, leases, tmp_path) as running:
        yield running


NO_SMPP = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"\xff" * 64,
    bytes(64),
    b"\x00\x00\x00\x0f" + bytes(11),
    b"\x00\x01\x00\x00",
    b"\x00\x00\x00\x10",
]


async def test_who_speaks_no_smpp_is_let_go_and_others_are_served(smsc: OurSmsc) -> None:
    bound = await smsc.bound()
    for octets in NO_SMPP:
        for esme in (await smsc.connect(), await smsc.bound()):
            esme.writer.write(octets)
            esme.writer.write_eof()
            while not await esme.has_ended():
                pass
    assert (await bound.submit()).status == Status.OK


async def test_every_command_with_no_body_or_a_long_one_is_answered(smsc: OurSmsc) -> None:
    esme = await smsc.bound()
    for command in (*range(0x01, 0x30), 0x102, 0x103, 0x104, 0x7FFFFFFF):
        if command == CommandId.UNBIND:
            continue
        for body in (b"", b"\xff" * 2000):
            answer = await esme.ask(command, body)
            assert answer.command in (command | 0x8000_0000, CommandId.GENERIC_NACK)
            assert answer.status != Status.OK or command == CommandId.ENQUIRE_LINK
    assert await smsc.kept() == []
    assert (await esme.submit()).status == Status.OK
