"""Replies as the handset, over HTTP. Handlers parse, call, answer."""

from starlette.requests import Request
from starlette.responses import Response

from smscatch import replying
from smscatch.web.auth import secret_of_header
from smscatch.web.bodies import parse_body
from smscatch.web.endpoint import access_of, context_of
from smscatch.web.responses import value_response


async def add_reply(request: Request) -> Response:
    """Replies as the handset: the application is told by its provider's inbound webhook, signed.

    Answers once the reply is kept and its webhook queued. It stands on the line, marked `reply`, and is given to no
    wait. Words such as STOP and START end and resume texts to the line, as at the provider. 409 `no_application`: it
    is not known where the application takes it.
    """
    asked = await parse_body(request, replying.ReplyRequest)
    return value_response(await replying.reply(access_of(request), asked, outbox_of(request)), 201)


def outbox_of(request: Request) -> replying.Outbox:
    """Return what takes replies away; a session of the page has no secret that an application could know."""
    context = context_of(request)
    return replying.Outbox(context.committer, context.callbacks, secret_of_header(request) or "", context.accounts)
