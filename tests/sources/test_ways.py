"""What every way in keeps, whatever brings the texts; a new kind of source needs a line in WAYS, or samples."""

import importlib
import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest

from smscatch.inbox import Inbox
from smscatch.messages import POSSIBLE_DUPLICATE, Message, Query
from smscatch.pdu import encode_deliver
from smscatch.smpp.delivered import Delivered
from smscatch.smpp.pdu import CommandId, ShortMessage, SmppAddress, write_short_message
from smscatch.sources import KINDS, find_source, read_delivery, signed_kinds
from smscatch.sources.caught import CaughtPart, CaughtText, write_caught
from smscatch.sources.hilink import StickText
from smscatch.sources.modemmanager import ManagedText
from smscatch.sources.reply import RepliedText, write_reply
from smscatch.sources.webhook import JSON, Envelope, write_envelope
from smscatch.stores import Delivery
from tests.data import signed
from tests.samples import LINE, NOON

TEXT = "Your code is 482913"
LONG = "".join(f"{number:03d} of the long text, in which your code is 482913; " for number in range(7))
PARTS = 3


class Place(NamedTuple):
    """Which part of a long text something is."""

    number: int
    total: int = PARTS


class Text(NamedTuple):
    """What is brought: what the service calls it is its `name`; it may be a part of LONG."""

    sender: str
    text: str
    at: datetime
    name: str
    place: Place | None = None

    @property
    def time_ns(self) -> int:
        return int(self.at.timestamp()) * 10**9

    def envelope(self, content: bytes, content_type: str, **more: Any) -> bytes:
        facts: dict[str, Any] = {
            "received_at": self.at,
            "address": "",
            "content_type": content_type,
            "origin": "source one",
        }
        return write_envelope(Envelope(content=content, **facts, **more))


Way = Callable[[Text], bytes]  # returns the body of a spool entry


def by_gammu(one: Text) -> bytes:
    variables = {"SMS_MESSAGES": "1", "DECODED_PARTS": "0", "PHONE_ID": LINE, "SMS_1_NUMBER": one.sender}
    variables |= {"SMS_1_CLASS": "-1", "SMS_1_REFERENCE": "0", "SMS_1_TEXT": one.text}
    records = {"time_ns": str(one.time_ns), "reader": "42:1"} | variables
    return "".join(f"{key}={value}\0" for key, value in records.items()).encode()


def by_link(one: Text) -> bytes:
    pdus = encode_deliver(one.sender, LONG if one.place else one.text, one.at, reference=7)
    pdu = pdus[one.place.number - 1] if one.place else pdus[0]
    return f"time_ns={one.time_ns}\0line={LINE}\0reader=1:1\0pdu={pdu}\0".encode()


def smpp_body(one: Text, command: CommandId) -> str:
    header = bytes((5, 0, 3, 7, one.place.total, one.place.number)) if one.place else b""
    source = SmppAddress(int(one.sender.startswith("+")), 1, one.sender.removeprefix("+"))
    octets, ours = header + one.text.encode("ascii"), SmppAddress(1, 1, LINE.removeprefix("+"))
    message = ShortMessage(source, ours, esm_class=0x40 if one.place else 0, octets=octets)
    return write_short_message(command, message).hex()


def by_smpp(one: Text) -> bytes:
    body = smpp_body(one, CommandId.DELIVER_SM)
    return msgspec.json.encode(Delivered(smsc="carrier", command=CommandId.DELIVER_SM, body=body, time_ns=one.time_ns))


def by_generic(one: Text) -> bytes:
    fields = {"line": LINE, "sender": one.sender, "text": one.text, "id": one.name}
    return one.envelope(json.dumps(fields).encode(), JSON)


def by_modemmanager(one: Text) -> bytes:
    return msgspec.json.encode(ManagedText(line=LINE, time_ns=one.time_ns, number=one.sender, text=one.text))


def by_hilink(one: Text) -> bytes:
    return msgspec.json.encode(StickText(line=LINE, time_ns=one.time_ns, number=one.sender, text=one.text))


def by_application(one: Text) -> bytes:
    part = None
    if one.place:
        part = CaughtPart(
            command=CommandId.SUBMIT_SM,
            body=smpp_body(one, CommandId.SUBMIT_SM),
            reference=7,
            wide=False,
            total=one.place.total,
            number=one.place.number,
            sender_type=1,
        )
    caught = CaughtText(
        name=one.name,
        provider="smpp",
        owner="key 1",
        line=LINE,
        sender=one.sender,
        text="" if part else one.text,
        received_at=one.at,
        part=part,
    )
    return write_caught(caught)


def by_handset(one: Text) -> bytes:
    return write_reply(
        RepliedText(name=one.name, provider="twilio", line=one.sender, to=LINE, text=one.text, received_at=one.at)
    )


def by_service(kind: str) -> Way:
    samples = importlib.import_module(f"tests.data.{kind}").SAMPLES
    fields = tomllib.loads(f"it = {signed.TABLES['fields']}")["it"] if kind == "signed" else {}

    def deliver(one: Text) -> bytes:
        place = (one.place,) if one.place else ()
        post = samples.make(one.sender, one.text, one.name, *place)
        return one.envelope(post.content, post.content_type, fields=fields)

    return deliver


WAYS: dict[str, Way] = {
    "gammu": by_gammu,
    "pdu": by_link,
    "smpp": by_smpp,
    "generic": by_generic,
    "caught": by_application,
    "reply": by_handset,
    "modemmanager": by_modemmanager,
    "hilink": by_hilink,
}
WAYS |= {kind: by_service(kind) for kind in signed_kinds()}
IN_PARTS = [kind for kind in WAYS if (source := find_source(kind)) is not None and source.join is not None]


class Carrier:
    """Brings texts by one way, a minute apart, each a delivery of its own."""

    def __init__(self, kind: str, inbox: Inbox) -> None:
        self._kind, self._inbox, self._count = kind, inbox, 0

    async def bring(self, text: str = TEXT, sender: str = "+447700900123", place: Place | None = None) -> None:
        self._count += 1
        at = datetime.fromtimestamp(NOON.timestamp(), UTC) + timedelta(minutes=self._count)
        body = WAYS[self._kind](Text(sender, text, at, f"0A{self._count}", place))
        found = read_delivery(self._kind, body, f"{self._count:020d}-entry", lambda line: line)
        await self._inbox.receive([Delivery(one, body) for one in found])

    async def messages(self, sender: str | None = None) -> list[Message]:
        return [stored.message for stored in await self._inbox.store.after(Query(sender=sender), 0, 100)]


@pytest.fixture
def carrier(request: pytest.FixtureRequest, inbox: Inbox) -> Carrier:
    return Carrier(request.param, inbox)


def test_each_kind_of_source_has_a_way() -> None:
    assert WAYS.keys() == KINDS.keys()


@pytest.mark.parametrize("carrier", WAYS, indirect=True)
async def test_a_sender_of_many_digits_keeps_them_all_and_is_found_by_them(carrier: Carrier) -> None:
    digits = ("106900001234567890", "1069000012345678901", "10690000123456789012")
    for sender in digits:
        await carrier.bring(sender=sender)
    found = await carrier.messages()
    assert [(message.sender, message.code) for message in found] == [(sender, "482913") for sender in digits]
    for sender in digits:
        assert [message.sender for message in await carrier.messages(sender=sender)] == [sender]


@pytest.mark.parametrize("carrier", WAYS, indirect=True)
async def test_the_same_body_twice_is_two_messages(carrier: Carrier) -> None:
    for _ in range(2):
        await carrier.bring()
    found = await carrier.messages()
    assert [(message.text, message.code) for message in found] == [(TEXT, "482913")] * 2
    assert not [message for message in found if POSSIBLE_DUPLICATE in message.marks]


@pytest.mark.parametrize("carrier", IN_PARTS, indirect=True)
async def test_a_text_whose_first_part_never_comes_is_shown_and_completed_if_it_does(
    carrier: Carrier, inbox: Inbox
) -> None:
    size = 153
    pieces = [LONG[at : at + size] for at in range(0, len(LONG), size)]
    assert len(pieces) == PARTS
    for number in (3, 2):
        await carrier.bring(pieces[number - 1], place=Place(number))
    assert await carrier.messages() == []
    await inbox.store.show_incomplete(NOON + timedelta(hours=1))
    (shown,) = await carrier.messages()
    assert (shown.text, shown.complete, shown.parts) == (pieces[1] + pieces[2], False, 2)
    await carrier.bring(pieces[0], place=Place(1))
    (whole,) = await carrier.messages()
    assert (whole.text, whole.complete, whole.parts, whole.id) == (LONG, True, 3, shown.id)


@pytest.mark.parametrize("carrier", IN_PARTS, indirect=True)
async def test_the_same_long_body_twice_is_two_messages(carrier: Carrier) -> None:
    for _ in range(2):
        for at in range(PARTS):
            await carrier.bring(LONG[at * 153 : at * 153 + 153], place=Place(at + 1))
    assert [message.text for message in await carrier.messages()] == [LONG] * 2
