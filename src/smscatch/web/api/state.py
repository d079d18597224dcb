"""How the server is, over HTTP: its lines, its sinks, its health; and which code it finds in a text."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from smscatch.errors import NotFound
from smscatch.hosts import HostList
from smscatch.keys import ADMIN
from smscatch.messages import SmppServer
from smscatch.web.api.answers import Alive
from smscatch.web.bodies import Text, parse_body
from smscatch.web.endpoint import access_of, context_of, inbox_of
from smscatch.web.responses import value_response


async def list_lines(request: Request) -> Response:
    """Our numbers: the configured ones, those with a modem, and those that ever received something."""
    return value_response({"lines": await access_of(request).lines()})


async def smpp_server(request: Request) -> Response:
    """Where applications are caught that send by SMPP, and, for an administrator, the password of the settings."""
    context, settings = context_of(request), context_of(request).settings
    if context.smpp_port is None:
        raise NotFound("No application is caught here that sends by SMPP: set smpp_server_port.")
    is_told = access_of(request).may((ADMIN,)) and settings.smpp_server_password is not None
    return value_response(
        SmppServer(
            port=context.smpp_port,
            tls=settings.smpp_server_certificate is not None,
            system_id=settings.smpp_server_system_id if is_told else None,
            password=settings.smpp_server_password if is_told else None,
        )
    )


async def list_sinks(request: Request) -> Response:
    """Where messages are sent to: how far each sink is, what waits, and the dead letters with their reasons.

    For a key that sees all lines: the ids of the messages are of any line.
    """
    return value_response(await access_of(request).sinks())


async def list_hosts(request: Request) -> Response:
    """Which hosts programs called of late under `smscatch catch` that were not caught, and which calls failed here.

    For a key that sees all lines: which line a call was about, nobody knows.
    """
    access_of(request).check_all_lines("hosts that were called")
    return value_response(HostList(context_of(request).hosts.newest(inbox_of(request).now())))


async def note_hosts(request: Request) -> Response:
    """Told by `smscatch catch`: which hosts a program called."""
    called = await parse_body(request, HostList)
    context_of(request).hosts.note(called.hosts, inbox_of(request).now())
    return Response(status_code=204)


async def explain(request: Request) -> Response:
    """Which code a text holds and why: the chosen one, the others, and what was rejected for which reason.

    And what it takes to send: `segments` has the encoding, how many SMS, and the characters that made it UCS-2.
    """
    text = (await parse_body(request, Text)).text

    def explained() -> Any:
        from smscatch.web.api.explaining import explain_text  # noqa: PLC0415 - its tables take a tenth of a second

        return explain_text(text)

    return value_response(await asyncio.to_thread(explained))


async def health(request: Request) -> Response:
    """Whether the process answers, and what its clock shows; needs no key."""
    return value_response(Alive("ok", inbox_of(request).now()))


async def readiness(request: Request) -> Response:
    """Whether messages come in and can be kept, in the spool and in the store; 503 with the reason if not.

    503 `no_modem` if no modem works and every line has one. `modems` are the states of those that are known,
    `warnings` what makes messages late, `checks` what is wrong with the lines, if any is configured.
    """
    inbox = inbox_of(request)
    await asyncio.to_thread(context_of(request).spool.check)
    warnings, modems = await inbox.check(), await access_of(request).modem_states()
    facts = {"modems": modems, "checks": await access_of(request).complaints()}
    told = {name: fact for name, fact in facts.items() if fact is not None}
    return value_response({"status": "ready", "waiting": inbox.hub.waiting, "warnings": warnings} | told)


async def openapi(request: Request) -> Response:
    """This description."""
    return value_response(request.app.state.describe())
