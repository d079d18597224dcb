"""Applications that bind to us as to their SMSC: what they submit is caught, answered, and told what became of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from smscatch.inbox import Inbox
from smscatch.keys import add_key, revoke_key
from smscatch.leases import Leases
from smscatch.messages import CAUGHT
from smscatch.smpp.accounts import HandsetText
from smscatch.smpp.delivering import write_text
from smscatch.smpp.pdu import CommandId, Frame, ShortMessage, SmppAddress, Status, Tag, write_short_message
from smscatch.smppkeys import add_smpp_key
from smscatch.smsc.front import BindTimes
from tests.smsc.esme import FROM_ADDRESS, TO, TO_ADDRESS, OurSmsc, body_of, id_in, our_smsc

TRANSMITTER, RECEIVER, TRANSCEIVER = CommandId.BIND_TRANSMITTER, CommandId.BIND_RECEIVER, CommandId.BIND_TRANSCEIVER


@pytest.fixture
async def smsc(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[OurSmsc]:
    async with our_smsc(inbox, leases, tmp_path) as running:
        yield running


async def test_a_text_is_kept_before_it_is_answered_with_its_id(smsc: OurSmsc) -> None:
    esme = await smsc.bound()
    message_id = id_in(await esme.submit())
    (message,) = await smsc.kept()
    assert (message.id, message.line, message.sender, message.code) == (message_id, TO, "Acme", "482913")
    assert (message.marks, message.provider, message.parts) == ((CAUGHT,), "smpp", 1)


@pytest.mark.parametrize("version", [0x00, 0x33, 0x34, 0x50])
async def test_each_version_of_the_protocol_gets_what_it_understands(smsc: OurSmsc, version: int) -> None:
    esme = await smsc.connect()
    answer = await esme.bind("app", smsc.key, version=version)
    has_tlvs = version >= 0x34
    assert answer.body == b"smscatch\0" + (bytes.fromhex("0210000134") if has_tlvs else b"")
    message_id = id_in(await esme.submit(registered=1))
    receipt = await esme.next_delivery()
    assert len(message_id) == (32 if has_tlvs else 8)
    assert receipt.octets.startswith(f"id:{message_id} sub:001 dlvrd:001 submit date:".encode())
    assert receipt.octets.endswith(b" stat:DELIVRD err:000 text:Your code is 482913")
    assert (receipt.esm_class, receipt.source, receipt.destination) == (4, TO_ADDRESS, FROM_ADDRESS)
    assert dict(receipt.tlvs) == ({0x1E: message_id.encode() + b"\0", 0x427: b"\x02"} if has_tlvs else {})


async def test_a_password_of_eight_characters_lets_in_with_its_system_id_alone(smsc: OurSmsc) -> None:
    key, password = await add_smpp_key(smsc.inbox, "app")
    assert len(password) == 8
    esme = await smsc.connect()
    for system_id, given in ((key.id, "wrong"), (key.id, ""), ("other", password), (key.id.upper(), password + "x")):
        assert (await esme.bind(system_id, given)).status == Status.BAD_PASSWORD
    assert (await esme.bind("x" * 16, password)).status == Status.BAD_SYSTEM_ID
    assert (await esme.submit()).status == Status.WRONG_STATE
    assert (await esme.bind(key.id, password)).status == Status.OK
    id_in(await esme.submit())


async def test_a_key_without_the_scope_send_is_refused(smsc: OurSmsc) -> None:
    _, reading = await add_key(smsc.inbox, "reader", ("read", "lease", "ingest"))
    assert (await (await smsc.connect()).bind("app", reading)).status == Status.BIND_FAILED


async def test_wrong_passwords_hold_up_their_address(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    paused, going_on = asyncio.Semaphore(0), asyncio.Event()

    async def pause() -> None:
        paused.release()
        await going_on.wait()

    async with our_smsc(inbox, leases, tmp_path, pause=pause) as smsc:
        first, second = await smsc.connect(), await smsc.connect()
        tries = [asyncio.create_task(esme.bind("app", "wrong")) for esme in (first, second)]
        await paused.acquire()
        assert not any(each.done() for each in tries)
        going_on.set()
        assert [(await each).status for each in tries] == [Status.BAD_PASSWORD] * 2


async def test_a_key_that_is_revoked_ends_its_bind_and_nothing_more_is_kept(smsc: OurSmsc) -> None:
    key, password = await add_smpp_key(smsc.inbox, "app")
    esme = await smsc.connect()
    await esme.bind(key.id, password)
    await revoke_key(smsc.inbox, smsc.front.house.remembered, key.id)
    await esme.send(Frame(CommandId.SUBMIT_SM, 0, 9, body_of()))
    assert (await esme.read()).command == CommandId.UNBIND
    assert await esme.has_ended()
    assert await smsc.kept() == []


async def test_a_bind_that_only_receives_ends_with_its_key_too(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    async with our_smsc(inbox, leases, tmp_path, times=BindTimes(recheck=0.01)) as smsc:
        key, password = await add_smpp_key(inbox, "app")
        esme = await smsc.connect()
        await esme.bind(key.id, password, RECEIVER)
        await revoke_key(inbox, smsc.front.house.remembered, key.id)
        assert (await esme.read()).command == CommandId.UNBIND
        assert await esme.has_ended()


async def test_a_key_that_is_limited_to_lines_sends_to_these_alone(smsc: OurSmsc) -> None:
    key, password = await add_smpp_key(smsc.inbox, "app", ("+12015550199",))
    esme = await smsc.connect()
    await esme.bind(key.id, password)
    assert (await esme.submit()).status == Status.BAD_DESTINATION
    id_in(await esme.submit(destination=SmppAddress(0, 0, "12015550199")))
    assert [message.line for message in await smsc.kept()] == ["+12015550199"]


CODINGS = [
    (0, b"GSM: \x00 \x02 \x1b\x65 \x7b", "GSM: @ $ € ä"),
    (1, b"GSM: \x00 \x02 \x1b\x65 \x7b", "GSM: @ $ € ä"),
    (0, b"write to me_too@example.com", "write to me_too@example.com"),
    (1, b"write to me_too@example.com", "write to me_too@example.com"),
    (0, "zur Größe".encode("latin-1"), "zur Größe"),
    (3, "zur Größe".encode("latin-1"), "zur Größe"),
    (6, "код 482913".encode("iso8859_5"), "код 482913"),
    (7, "קוד".encode("iso8859_8"), "קוד"),
    (8, "Code 482913 😀".encode("utf-16-be"), "Code 482913 😀"),
    (5, "コード".encode("shift_jis"), "コード"),
    (10, "コード".encode("iso2022_jp"), "コード"),
    (14, "코드".encode("cp949"), "코드"),
    (0xF0, b"flash", "flash"),
    (4, b"482913", "482913"),
]


async def test_every_data_coding_is_read(smsc: OurSmsc) -> None:
    esme = await smsc.bound()
    for coding, octets, _ in CODINGS:
        id_in(await esme.submit(octets, data_coding=coding))
    assert await smsc.texts() == [text for *_, text in CODINGS]


async def test_long_texts_come_whole_in_one_request(smsc: OurSmsc) -> None:
    esme = await smsc.bound()
    payload = ((Tag.MESSAGE_PAYLOAD, b"p" * 60_000),)
    id_in(await esme.submit("x" * 255))
    id_in(await esme.submit(b"", tlvs=payload))
    data = ShortMessage(source=FROM_ADDRESS, destination=TO_ADDRESS, tlvs=payload)
    assert (await esme.ask(CommandId.DATA_SM, write_short_message(CommandId.DATA_SM, data))).status == Status.OK
    assert [len(text) for text in await smsc.texts()] == [255, 60_000, 60_000]


PIECES = ["Code 482913 ".encode("utf-16-be") + b"\xd8\x3d", b"\xde\x00" + " end".encode("utf-16-be")]  # cut in an emoji


def a_part(form: str, number: int) -> dict[str, object]:
    """Return what makes a submit_sm the part of a text, in one of three forms."""
    octets = PIECES[number - 1]
    if form == "sar":
        tlvs = ((0x20C, b"\x00\x00"), (0x20E, b"\x02"), (0x20F, bytes((number,))))
        return {"text": octets, "tlvs": tlvs, "data_coding": 8}
    header = b"\x05\x00\x03\x00" if form == "8 bits" else b"\x06\x08\x04\x00\x00"
    return {"text": header + bytes((2, number)) + octets, "esm_class": 0x40, "data_coding": 8}


@pytest.mark.parametrize("form", ["8 bits", "16 bits", "sar"])
async def test_parts_are_answered_each_with_its_id_and_joined(smsc: OurSmsc, form: str) -> None:
    esme = await smsc.bound()
    ids = [id_in(await esme.submit(**a_part(form, 2), registered=1))]  # type: ignore[arg-type]
    assert await smsc.kept() == []
    receipts = [await esme.next_delivery()]
    ids.append(id_in(await esme.submit(**a_part(form, 1), registered=1)))  # type: ignore[arg-type]
    receipts.append(await esme.next_delivery())
    (message,) = await smsc.kept()
    assert (message.text, message.parts, message.marks) == ("Code 482913 😀 end", 2, (CAUGHT,))
    assert (message.provider, message.complete, message.code) == ("smpp", True, "482913")
    assert [dict(receipt.tlvs)[Tag.RECEIPTED_MESSAGE_ID].rstrip(b"\0").decode() for receipt in receipts] == ids
    assert len({*ids}) == 2


async def test_a_text_to_a_line_of_ours_is_aside_also_in_parts(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    async with our_smsc(inbox, leases, tmp_path, config=f'[lines."{TO}"]') as smsc:
        esme = await smsc.bound()
        for number in (1, 2):
            await esme.submit(**a_part("sar", number))  # type: ignore[arg-type]
        await esme.submit()
        assert [message.marks for message in await smsc.kept()] == [(CAUGHT, "aside")] * 2


async def test_a_text_to_several_is_one_on_each_line_and_says_whom_it_did_not_go_to(smsc: OurSmsc) -> None:
    esme = await smsc.bound()
    to = b"\x01\x01\x0112015550123\0" + b"\x01\x01\x0112015550124\0" + b"\x02friends\0" + b"\x01\x05\x00nobody\0"
    whole = write_short_message(CommandId.SUBMIT_SM, ShortMessage(source=FROM_ADDRESS, octets=b"hello", registered=1))
    start = b"\0\x05\0Acme\0"
    assert whole.startswith(start + b"\0\0\0")
    body = start + bytes((4,)) + to + whole[len(start) + 3 :]
    answer = await esme.ask(CommandId.SUBMIT_MULTI, body)
    message_id = id_in(answer)
    failed = b"\x02\0\0friends\0\0\0\0\x34" + b"\x05\0nobody\0\0\0\0\x0b"
    assert answer.body == message_id.encode() + b"\0" + failed
    assert [message.line for message in await smsc.kept()] == ["+12015550123", "+12015550124"]
    receipts = [await esme.next_delivery() for _ in range(2)]
    assert [receipt.source.text for receipt in receipts] == ["12015550123", "12015550124"]


async def test_what_became_of_a_text_is_told_and_it_cannot_be_changed_any_more(smsc: OurSmsc) -> None:
    esme = await smsc.bound()
    message_id = id_in(await esme.submit())
    source = b"\x05\0Acme\0"
    asked = {
        CommandId.QUERY_SM: message_id.encode() + b"\0" + source,
        CommandId.CANCEL_SM: b"\0" + message_id.encode() + b"\0" + source + b"\x01\x0112015550123\0",
        CommandId.REPLACE_SM: message_id.encode() + b"\0" + source + b"\0\0\0\0\x01x",
    }
    told = [await esme.ask(command, body) for command, body in asked.items()]
    assert [answer.status for answer in told] == [Status.OK, Status.CANCEL_FAILED, Status.REPLACE_FAILED]
    assert told[0].body == message_id.encode() + b"\0" + b"261122120000000+\0\x02\0"
    wrong = {command: body.replace(message_id[:8].encode(), b"00000000") for command, body in asked.items()}
    unknown = [await esme.ask(command, body) for command, body in wrong.items()]
    assert [answer.status for answer in unknown] == [Status.BAD_MESSAGE_ID] * 3
    assert smsc.front.accounts.open("another key", "app").find(message_id) is None


async def test_what_became_of_a_text_is_known_after_a_restart(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    async with our_smsc(inbox, leases, tmp_path) as smsc:
        message_id = id_in(await (await smsc.bound()).submit())
        key = smsc.key
    async with our_smsc(inbox, leases, tmp_path) as smsc:
        for secret, status in ((key, Status.OK), (smsc.key, Status.BAD_MESSAGE_ID)):
            esme = await smsc.connect()
            await esme.bind("app", secret)
            answer = await esme.ask(CommandId.QUERY_SM, message_id.encode() + b"\0" + b"\x05\0Acme\0")
            assert answer.status == status


def changed(**fields: object) -> bytes:
    return body_of(**fields)  # type: ignore[arg-type]


PAYLOAD = (Tag.MESSAGE_PAYLOAD, b"y")
WRONG = [
    (Status.BAD_LENGTH, b""),
    (Status.BAD_LENGTH, b"\0\x05\0Acme"),
    (Status.BAD_LENGTH, b"x" * 300),
    (Status.BAD_TEXT_LENGTH, body_of("abc")[:-1]),
    (Status.BAD_TEXT_LENGTH, changed(text=b"\x20\x00", esm_class=0x40)),
    (Status.BAD_TLVS, body_of("abc") + b"\x04\x24\x00\x09x"),
    (Status.BAD_TLVS, body_of("abc") + b"\x04"),
    (Status.TLV_NOT_ALLOWED, changed(tlvs=(PAYLOAD,))),
    (Status.BAD_TLV_LENGTH, changed(tlvs=((0x20C, b"\x01"), (0x20E, b"\x02"), (0x20F, b"\x01")))),
    (Status.TLV_MISSING, changed(tlvs=((0x20E, b"\x02"), (0x20F, b"\x01")))),
    (Status.BAD_TLV_VALUE, changed(tlvs=((0x20C, b"\x00\x01"), (0x20E, b"\x02"), (0x20F, b"\x03")))),
    (Status.BAD_SERVICE_TYPE, changed(service_type="TOOBIG")),
    (Status.BAD_SOURCE_TON, changed(source=SmppAddress(7, 0, "Acme"))),
    (Status.BAD_SOURCE_NPI, changed(source=SmppAddress(5, 2, "Acme"))),
    (Status.BAD_SOURCE, changed(source=SmppAddress(5, 0, "LongerThan11"))),
    (Status.BAD_SOURCE, changed(source=SmppAddress(1, 1, "1" * 21))),
    (Status.BAD_SOURCE, changed(source=SmppAddress(5, 0, "a\nb"))),
    (Status.BAD_DESTINATION_TON, changed(destination=SmppAddress(7, 1, "12015550123"))),
    (Status.BAD_DESTINATION_NPI, changed(destination=SmppAddress(1, 5, "12015550123"))),
    (Status.BAD_DESTINATION, changed(destination=SmppAddress(1, 1, ""))),
    (Status.BAD_DESTINATION, changed(destination=SmppAddress(1, 1, "1" * 21))),
    (Status.BAD_DESTINATION, changed(destination=SmppAddress(0, 0, "nobody"))),
    (Status.BAD_DESTINATION, changed(destination=SmppAddress(5, 0, "12015550123"))),
    (Status.BAD_ESM_CLASS, changed(esm_class=0x04)),
    (Status.BAD_ESM_CLASS, changed(esm_class=0x20)),
    (Status.BAD_PRIORITY, changed(priority=4)),
    (Status.BAD_SCHEDULE, changed(schedule="tomorrow")),
    (Status.BAD_VALIDITY, changed(validity="2611221200")),
    (Status.BAD_REGISTERED, changed(registered=3)),
    (Status.BAD_REGISTERED, changed(registered=0x20)),
    (Status.BAD_REPLACES, changed(replaces=2)),
    (Status.BAD_DEFAULT_MESSAGE, changed(default_message=1)),
]


async def test_what_is_wrong_is_refused_with_its_status_and_not_kept(smsc: OurSmsc) -> None:
    esme = await smsc.bound()
    assert [(await esme.ask(CommandId.SUBMIT_SM, body)).status for _, body in WRONG] == [status for status, _ in WRONG]
    assert await smsc.kept() == []
    assert (await esme.ask(CommandId.DATA_SM, body_of("")[:-1])).status in (Status.TLV_MISSING, Status.BAD_TLVS)
    assert (await esme.submit(b"", validity="000001000000000R", schedule="261122120000004+")).status == Status.OK


async def test_a_length_that_cannot_be_ends_the_bind_and_what_came_before_is_kept(smsc: OurSmsc) -> None:
    esme = await smsc.bound()
    esme.writer.write(Frame(CommandId.SUBMIT_SM, 0, 7, body_of()).encode() + b"\0\0\0\x03 what is this?")
    assert (await esme.read()).sequence == 7
    assert await esme.read() == Frame(CommandId.GENERIC_NACK, Status.BAD_LENGTH, 0)
    assert await esme.has_ended()
    assert len(await smsc.kept()) == 1


async def test_each_request_is_answered_as_the_state_of_the_bind_has_it(smsc: OurSmsc) -> None:
    esme = await smsc.connect()
    assert (await esme.ask(CommandId.ENQUIRE_LINK)).status == Status.OK
    assert (await esme.submit()).status == Status.WRONG_STATE
    assert await esme.ask(0x77) == Frame(CommandId.GENERIC_NACK, Status.BAD_COMMAND, 3)
    assert (await esme.ask(RECEIVER, b"app")).status == Status.BAD_LENGTH
    assert (await esme.bind("app", smsc.key, RECEIVER)).status == Status.OK
    assert (await esme.submit()).status == Status.WRONG_STATE
    assert (await esme.bind("app", smsc.key)).status == Status.ALREADY_BOUND
    assert await esme.ask(0x77) == Frame(CommandId.GENERIC_NACK, Status.BAD_COMMAND, 8)
    assert (await esme.ask(CommandId.UNBIND)).status == Status.OK
    assert await esme.has_ended()
    assert await smsc.kept() == []


async def test_more_than_the_rate_of_the_settings_is_throttled(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    async with our_smsc(inbox, leases, tmp_path, config="[smpp_server]\nrate = 5") as smsc:
        esme = await smsc.bound()
        await esme.send(*(Frame(CommandId.SUBMIT_SM, 0, number, body_of()) for number in range(200, 400)))
        statuses = [(await esme.read()).status for _ in range(200)]
        assert {*statuses} == {Status.OK, Status.THROTTLED}
        assert statuses[:5] == [Status.OK] * 5
        assert len(await smsc.kept()) == statuses.count(Status.OK)


WEATHER = """
[weather.refused]
line = "0199"
throttle = true
[weather.failed]
line = "0198"
undelivered = "30003"
[weather.lost]
line = "0196"
drop = true
[weather.twice]
line = "0197"
double = true
"""


async def test_the_weather_meets_what_is_sent_by_smpp_too(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    async with our_smsc(inbox, leases, tmp_path, config=WEATHER) as smsc:
        esme = await smsc.bound()
        to = [SmppAddress(1, 1, f"1201555{end}") for end in ("0199", "0196", "0198", "0197", "0123")]
        bodies = [body_of("hello", destination=each, registered=1) for each in to]
        await esme.send(*(Frame(CommandId.SUBMIT_SM, 0, number, body) for number, body in enumerate(bodies, 1)))
        statuses = [(await esme.read()).status for _ in bodies]
        assert statuses == [Status.THROTTLED, *[Status.OK] * 4]
        failed, *arrived = [await esme.next_delivery() for _ in range(3)]
        assert b" dlvrd:000 " in failed.octets
        assert b" stat:UNDELIV err:003 " in failed.octets
        assert [receipt.find_number(Tag.MESSAGE_STATE) for receipt in (failed, *arrived)] == [5, 2, 2]
        marks = [(message.line[-4:], message.marks[1:]) for message in await smsc.kept()]
        told = [("0123", ()), ("0196", ("dropped",)), ("0197", ()), ("0197", ("doubled",)), ("0198", ("undelivered",))]
        assert sorted(marks) == told


async def test_receipts_wait_for_a_receiver_of_the_system_id_and_are_not_sent_unasked(smsc: OurSmsc) -> None:
    sender = await smsc.bound(TRANSMITTER)
    ids = [id_in(await sender.submit(registered=asked)) for asked in (0, 1, 2, 1)]
    receiver = await smsc.bound(RECEIVER)
    told = [dict((await receiver.next_delivery()).tlvs)[Tag.RECEIPTED_MESSAGE_ID] for _ in range(2)]
    assert told == [ids[1].encode() + b"\0", ids[3].encode() + b"\0"]
    last = id_in(await sender.submit(registered=1))
    assert dict((await receiver.next_delivery()).tlvs)[Tag.RECEIPTED_MESSAGE_ID] == last.encode() + b"\0"


async def test_what_is_not_answered_is_delivered_again_over_the_next_bind(smsc: OurSmsc) -> None:
    sender, first = await smsc.bound(TRANSMITTER), await smsc.bound(RECEIVER)
    id_in(await sender.submit(registered=1))
    lost = await first.read()
    first.writer.close()
    second = await smsc.bound(RECEIVER)
    assert (await second.read()).body == lost.body


async def test_a_reply_is_delivered_to_the_application_that_sent_the_text(smsc: OurSmsc) -> None:
    reply = HandsetText(TO, "+447700900000", "STOP")
    key = (await smsc.inbox.store.keys())[-1]
    assert not await smsc.front.accounts.reply(key.id, "app", reply)
    sender = await smsc.bound(TRANSMITTER)
    assert not await smsc.front.accounts.reply(key.id, "app", reply)
    receiver = await smsc.bound(RECEIVER)
    replying = asyncio.create_task(smsc.front.accounts.reply(key.id, "app", reply))
    text = await receiver.next_delivery()
    assert await replying
    assert (text.source, text.destination) == (TO_ADDRESS, SmppAddress(1, 1, "447700900000"))
    assert (text.octets, text.data_coding, text.esm_class) == (b"STOP", 0, 0)
    refusing = asyncio.create_task(smsc.front.accounts.reply(key.id, "app", reply))
    await receiver.send((await receiver.read()).response(Status.SYSTEM_ERROR))
    assert not await refusing
    await sender.ask(CommandId.UNBIND)


async def test_a_reply_over_http_reaches_the_application_and_stands_on_the_line(smsc: OurSmsc) -> None:
    sender = await smsc.bound(TRANSMITTER)
    await sender.submit(source=SmppAddress(0, 0, "447700900000"))
    transport = httpx2.ASGITransport(smsc.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:

        async def reply(text: str, **more: str) -> httpx2.Response:
            headers = {"authorization": f"Bearer {smsc.key}"}
            return await client.post("/api/v1/replies", json={"line": TO, "text": text} | more, headers=headers)

        answer = await reply("STOP")
        assert (answer.status_code, answer.json()["error"]) == (409, "no_application")
        assert len(await smsc.kept()) == 1
        receiver = await smsc.bound(RECEIVER)
        replying = asyncio.create_task(reply("STOP", id="once"))
        text = await receiver.next_delivery()
        assert (text.octets, text.source, text.destination.text) == (b"STOP", TO_ADDRESS, "447700900000")
        told = (await replying).json()
        assert (told["provider"], told["url"], told["to"]) == ("smpp", "smpp://app", "447700900000")
        assert (await reply("STOP", id="once")).json()["id"] == told["id"]  # and is not delivered again
        assert [message.marks for message in await smsc.kept()] == [(CAUGHT,), ("reply",)]
        await sender.submit(source=FROM_ADDRESS)
        assert (await reply("STOP", to="Acme", provider="smpp")).json()["error"] == "bad_request"


def test_a_long_reply_is_cut_into_parts_with_headers_and_unpacked_septets() -> None:
    parts = list(write_text(TO_ADDRESS, FROM_ADDRESS, "a€" * 100))
    assert [(part.esm_class, part.data_coding, len(part.octets) - 6) for part in parts] == [(64, 0, 153), (64, 0, 147)]
    assert {part.octets[:3] for part in parts} == {b"\x05\x00\x03"}
    (short,) = write_text(TO_ADDRESS, FROM_ADDRESS, "да")
    assert (short.data_coding, short.octets) == (8, "да".encode("utf-16-be"))


async def test_a_silent_application_is_asked_and_one_that_is_gone_is_let_go(
    inbox: Inbox, leases: Leases, tmp_path: Path
) -> None:
    async with our_smsc(inbox, leases, tmp_path, times=BindTimes(idle=0.05, link=0.05)) as smsc:
        esme = await smsc.bound()
        assert (await esme.read()).command == CommandId.ENQUIRE_LINK
        assert await esme.has_ended()


async def test_who_does_not_bind_is_not_waited_for(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    async with our_smsc(inbox, leases, tmp_path, times=BindTimes(bind=0.01)) as smsc:
        assert await (await smsc.connect()).has_ended()


async def test_two_hundred_texts_from_three_applications_at_once_are_all_kept_once(smsc: OurSmsc) -> None:
    async def submit_all(name: str) -> list[str]:
        esme = await smsc.bound()
        frames = [Frame(CommandId.SUBMIT_SM, 0, number, body_of(f"{name} {number}")) for number in range(1, 68)]
        await esme.send(*frames)
        return [id_in(await esme.read()) for _ in frames]

    ids = [each for one in await asyncio.gather(*map(submit_all, "abc")) for each in one]
    kept = await smsc.kept()
    assert sorted(ids) == sorted(message.id for message in kept)
    assert len({message.text for message in kept}) == 201


async def test_a_server_that_stops_ends_its_binds_in_order(inbox: Inbox, leases: Leases, tmp_path: Path) -> None:
    async with our_smsc(inbox, leases, tmp_path) as smsc:
        esme = await smsc.bound()
    assert (await esme.read()).command == CommandId.UNBIND
