"""A server that is killed has every text that it answered by SMPP, once."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from smscatch.smpp.pdu import CommandId, Frame, Status
from tests.carrier import eventually
from tests.conftest import Server
from tests.ports import free_port
from tests.smpp.smscs import stored
from tests.smsc.esme import Esme, body_of, id_in

PASSWORD = "pass1234"
TEXTS = 300


async def bound(port: int) -> Esme:
    esme = Esme(*await asyncio.open_connection("127.0.0.1", port))
    assert (await esme.bind("smscatch", PASSWORD)).status == Status.OK
    return esme


async def submit_until_killed(server: Server, esme: Esme, kill_after: int) -> set[str]:
    """Submit texts; return the ids that were answered when the server was killed."""
    bodies = [body_of(f"text {number}") for number in range(TEXTS)]
    await esme.send(*(Frame(CommandId.SUBMIT_SM, 0, number, body) for number, body in enumerate(bodies, 1)))
    ids = {id_in(await esme.read()) for _ in range(kill_after)}
    server.kill()
    with contextlib.suppress(EOFError, OSError):  # what was answered before it died, and is on its way
        while True:
            ids.add(id_in(await esme.read()))
    esme.writer.close()
    return ids


@pytest.mark.parametrize("kill_after", [1, 150])
async def test_nothing_that_was_answered_is_lost(make_server: Callable[[], Server], kill_after: int) -> None:
    server, port = make_server(), free_port()
    server.start(SMSCATCH_SMPP_SERVER_PORT=str(port), SMSCATCH_SMPP_SERVER_PASSWORD=PASSWORD)
    answered = await submit_until_killed(server, await bound(port), kill_after)
    server.start()
    esme = await bound(port)
    answered.add(id_in(await esme.submit()))
    esme.writer.close()
    await eventually(lambda: not list(server.spool.glob("*.sms")), "the spool is empty")
    server.stop()
    kept = [message.id for message in await stored(server)]
    assert answered <= {*kept}
    assert len(kept) == len({*kept})
