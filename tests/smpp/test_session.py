"""Our binds to an SMSC that misbehaves: what is answered, what is told, and when it is tried again."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from smscatch.smpp.pdu import RESPONSE, CommandId, Frame, Status, parse_bind
from smscatch.smpp.session import _REASONS
from smscatch.smpp.states import BOUND
from tests.carrier import eventually
from tests.patience import PATIENCE_SECONDS
from tests.servers.certificates import make_certificate
from tests.smpp.fake import SLOW, Bound, FakeSmsc, Peer, body_of

IMPATIENT = SLOW._replace(idle=0.01)  # asks a silent SMSC soon, and waits for its answer as long as it takes
TRY_AGAIN = 0x64  # ESME_RX_T_APPN
UNKNOWN_COMMAND = 0x03  # ESME_RINVCMDID


@pytest.fixture
async def smsc() -> AsyncIterator[FakeSmsc]:
    made = FakeSmsc()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (tmp_path / "spool").mkdir()
    return tmp_path / "spool"


async def is_in(bound: Bound, state: str) -> None:
    await eventually(lambda: bound.state().state == state, f"the bind is {state}")


@pytest.mark.parametrize(("kind", "command"), [("receiver", 0x01), ("transceiver", 0x09)])
async def test_a_bind_is_of_the_kind_and_has_the_names_that_the_settings_say(
    smsc: FakeSmsc, spool: Path, kind: str, command: int
) -> None:
    made = Bound(smsc, spool, bind=kind, system_type="VMA", address_range="^4477")
    async with made.running():
        peer = await smsc.peer()
        asked = await peer.read()
        assert asked.command == command
        bind = parse_bind(asked.body)
        assert (bind.system_id, bind.password, bind.system_type, bind.version) == ("us", "secret", "VMA", 0x34)
        assert bind.address_range == "^4477"
        # The first text may come in one packet with the answer.
        await peer.send(asked.response(body=b"smsc\0"), Frame(CommandId.DELIVER_SM, 0, 5, body_of("482913")))
        answer = await peer.read()
        assert (answer.command, answer.status, answer.sequence) == (CommandId.DELIVER_SM | RESPONSE, 0, 5)
        assert len(made.entries()) == 1
        await is_in(made, BOUND)


async def test_several_binds_take_texts_side_by_side(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool, binds=3)
    async with made.running():
        peers = [await smsc.bound() for _ in range(3)]
        for number in range(6):
            assert (await peers[number % 3].deliver(f"{number} is your code")).status == 0
        await eventually(lambda: [one.state for one in made.states.of("carrier")] == [BOUND] * 3)
        assert len(made.entries()) == 6
        peers[1].writer.close()  # one ends, and the others go on
        assert (await peers[0].deliver("6 is your code")).status == 0
        await made.sleeps.next()
        assert (await (await smsc.bound()).deliver("7 is your code")).status == 0
    assert len(made.entries()) == 8


async def test_a_text_that_several_binds_may_have_is_marked_once_its_bind_is_gone(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool, binds=2)
    async with made.running():
        one, other = await smsc.bound(), await smsc.bound()
        await one.deliver("the same")
        await one.deliver("the same")  # two texts: a bind that lives would have been told
        one.writer.close()
        await other.deliver("the same")
    marked = [path.name for path in made.spool.glob("*.sms") if b"repeat_of" in path.read_bytes()]
    assert marked == made.entries()[2:]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return make_certificate(tmp_path)


async def test_over_tls_texts_come_where_the_certificate_is_vouched_for(certificate: Path, spool: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    smsc = FakeSmsc()
    await smsc.start(context)
    trusting = Bound(smsc, spool, tls=True, ca_file=str(certificate.parent / "ca.pem"))
    async with trusting.running():
        peer = await smsc.bound()
        assert peer.writer.get_extra_info("ssl_object") is not None
        assert (await peer.deliver("482913")).status == 0
    wary, plain = Bound(smsc, spool, tls=True), Bound(smsc, spool)
    async with wary.running():
        await is_in(wary, "away")
        assert "certificate verify failed" in str(wary.state().error)
        assert "ca_file" in str(wary.state().error)
    async with plain.running():
        await is_in(plain, "silent")
    await smsc.stop()


async def test_tls_where_the_smsc_has_none_is_told(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool, tls=True)
    async with made.running():
        peer = await smsc.peer()
        peer.writer.write(b"\0\0\0\x10\x80\0\0\0\0\0\0\3\0\0\0\1")
        await is_in(made, "away")
        assert "Check host, port, tls and ca_file" in str(made.state().error)


@pytest.mark.parametrize("status", [*_REASONS, 0x33, 0x400, 0xFFFFFFFF])
async def test_a_refused_bind_is_told_in_words_and_tried_again_late(smsc: FakeSmsc, spool: Path, status: int) -> None:
    made = Bound(smsc, spool)
    async with made.running():
        await smsc.refuse(status)
        assert await made.sleeps.next() >= 30
        said = str(made.state().error)
        assert made.state().state == "refused"
        assert f"refuses the bind (command_status 0x{status:08X})" in said
        assert (_REASONS[Status(status)] if status in list(_REASONS) else "ask the carrier") in said
        assert "secret" not in said
        await smsc.bound()
        await is_in(made, BOUND)


async def test_what_answers_but_not_as_smpp_has_it_is_told(smsc: FakeSmsc, spool: Path) -> None:
    async def generic(peer: Peer, asked: Frame) -> None:
        await peer.send(Frame(CommandId.GENERIC_NACK, Status.BAD_COMMAND, asked.sequence))

    async def other(peer: Peer, asked: Frame) -> None:
        await peer.send(Frame(CommandId.ENQUIRE_LINK | RESPONSE, 0, asked.sequence))

    async def http(peer: Peer, _: Frame) -> None:
        peer.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def nothing(peer: Peer, _: Frame) -> None:
        peer.writer.close()

    answers: list[tuple[Callable[[Peer, Frame], Awaitable[None]], str, str]] = [
        (generic, "refused", "it does not know such a bind"),
        (other, "silent", "does not answer the bind as SMPP has it"),
        (http, "silent", "does not speak SMPP"),
        (nothing, "silent", "ended the connection"),
    ]
    made = Bound(smsc, spool)
    async with made.running():
        for answer, state, said in answers:
            peer = await smsc.peer()
            await answer(peer, await peer.read())
            await made.sleeps.next()
            assert made.state().state == state
            assert said in str(made.state().error)


async def test_an_smsc_that_does_not_answer_a_bind_is_left(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool)
    async with made.running(SLOW._replace(answer=0.01)):
        await made.sleeps.next()
        assert "does not answer" in str(made.state().error)


async def test_a_host_that_cannot_be_reached_is_tried_later_and_later(smsc: FakeSmsc, spool: Path) -> None:
    await smsc.stop()
    made = Bound(smsc, spool)
    async with made.running():
        for least in (1, 2, 4, 8, 16, 32, 60, 60):
            assert least <= await made.sleeps.next() <= 1.25 * least
        assert made.state().state == "away"
        await smsc.start()  # on the port that it had
        while True:  # the try that was under way may have come too early
            pending = asyncio.create_task(made.sleeps.next())
            peer = asyncio.create_task(smsc.bound())
            await asyncio.wait((pending, peer), return_when=asyncio.FIRST_COMPLETED)
            pending.cancel()
            if peer.done():
                break
            peer.cancel()
        await is_in(made, BOUND)
        bound = await peer
        await bound.deliver("482913")
        bound.writer.close()
        assert 1 <= await made.sleeps.next() <= 1.25, "a bind that was good is made anew soon"


async def test_an_smsc_that_grants_binds_and_ends_them_at_once_is_tried_later_and_later(
    smsc: FakeSmsc, spool: Path
) -> None:
    async def unbind(peer: Peer) -> None:
        await peer.ask(CommandId.UNBIND)

    async def hang_up(peer: Peer) -> None:
        peer.writer.close()

    made = Bound(smsc, spool)
    async with made.running():
        for number, least in enumerate((1, 2, 4, 8)):
            await (unbind, hang_up)[number % 2](await smsc.bound())
            assert least <= await made.sleeps.next() <= 1.25 * least


async def test_an_smsc_that_answers_when_it_is_asked_stays_bound(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool)
    async with made.running(IMPATIENT):
        peer = await smsc.bound()
        for _ in range(5):
            asked = await peer.read()
            assert asked.command == CommandId.ENQUIRE_LINK
            await peer.send(asked.response())
        assert made.state().state == BOUND


async def test_an_smsc_that_falls_silent_is_left_and_bound_anew(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool)
    async with made.running(IMPATIENT._replace(link=0.01)):
        peer = await smsc.bound()
        assert (await peer.read()).command == CommandId.ENQUIRE_LINK
        await made.sleeps.next()
        assert made.state().state == "silent"
        assert "does not answer an enquire_link" in str(made.state().error)
        assert (await (await smsc.bound()).read()).command == CommandId.ENQUIRE_LINK


async def test_an_smsc_that_asks_is_answered_and_what_it_may_not_ask_is_refused(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool)
    async with made.running():
        peer = await smsc.bound()
        assert (await peer.ask(CommandId.ENQUIRE_LINK)).command == CommandId.ENQUIRE_LINK | RESPONSE
        for unknown in (CommandId.SUBMIT_SM, 0x0B, 0x7FFF):
            answer = await peer.ask(unknown, b"\0")
            assert (answer.command, answer.status) == (CommandId.GENERIC_NACK, UNKNOWN_COMMAND)
        # Neither has an answer, and both are no reason to end.
        await peer.send(Frame(CommandId.ALERT_NOTIFICATION, 0, 8), Frame(CommandId.GENERIC_NACK, 3, 9))
        assert (await peer.deliver("482913")).status == 0


async def test_what_the_spool_cannot_keep_is_to_be_delivered_again(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool)
    async with made.running():
        peer = await smsc.bound()
        away = spool.rename(spool.with_name("away"))
        spool.write_text("no folder")
        for _ in range(2):
            assert (await peer.deliver("482913")).status == TRY_AGAIN
        assert made.state().state == "spool_full"
        assert str(spool) in str(made.state().error)
        spool.unlink()
        away.rename(spool)
        assert made.entries() == []
        assert (await peer.deliver("482913")).status == 0
        assert made.state().state == BOUND
    (name,) = made.entries()
    assert b"repeat_of" not in (spool / name).read_bytes()  # the SMSC knows that it was not taken before


async def test_an_unbind_of_the_smsc_is_answered_and_the_bind_made_anew(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool)
    async with made.running():
        peer = await smsc.bound()
        await peer.deliver("482913")
        assert (await peer.ask(CommandId.UNBIND)).command == CommandId.UNBIND | RESPONSE
        assert await peer.has_ended()
        assert 1 <= await made.sleeps.next() <= 1.25
        assert "ended the bind (unbind)" in str(made.state().error)
        await smsc.bound()


async def test_our_end_is_an_unbind_and_what_was_answered_before_is_no_repeat_after_it(
    smsc: FakeSmsc, spool: Path
) -> None:
    made = Bound(smsc, spool)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(made.running(SLOW._replace(goodbye=PATIENCE_SECONDS)))
        peer = await smsc.bound()
        await peer.deliver("the same")
        await is_in(made, BOUND)
        ending = asyncio.create_task(stack.aclose())
        asked = await peer.read()
        assert asked.command == CommandId.UNBIND
        # One that crosses it stays unanswered, so it is delivered again.
        await peer.send(Frame(CommandId.DELIVER_SM, 0, 9, body_of("too late")), asked.response())
        assert await peer.has_ended()
        await ending
    async with Bound(smsc, spool).running():
        peer = await smsc.bound()
        assert (await peer.deliver("the same")).status == 0
        assert (await peer.deliver("too late")).status == 0
    entries = made.entries()
    assert len(entries) == 3
    assert not [name for name in entries if b"repeat_of" in (spool / name).read_bytes()]


async def test_our_end_does_not_wait_for_an_smsc_that_is_silent(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool)
    async with made.running():
        peer = await smsc.bound()
        await is_in(made, BOUND)
    assert (await peer.read()).command == CommandId.UNBIND
    assert await peer.has_ended()


async def test_after_many_texts_the_smsc_is_asked_if_it_has_our_answers(smsc: FakeSmsc, spool: Path) -> None:
    made = Bound(smsc, spool)
    async with made.running(SLOW._replace(unknown=2)):
        peer = await smsc.bound()
        await peer.deliver("the same")
        await peer.deliver("the same")
        asked = await peer.read()
        assert asked.command == CommandId.ENQUIRE_LINK
        await peer.send(asked.response())
        assert (await peer.deliver("another")).status == 0  # read behind the answer
        peer.writer.close()
        await made.sleeps.next()
        peer = await smsc.bound()
        for text in ("the same", "another"):  # that one may be a repeat, the first cannot
            assert (await peer.deliver(text)).status == 0
    marked = [b"repeat_of" in (spool / name).read_bytes() for name in made.entries()]
    assert marked == [False, False, False, False, True]
