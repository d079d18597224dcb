"""The way in to the send APIs: finds whose API is called, lets its key in, answers and refuses as that provider does.

What a provider calls things is in the module of its name.
"""

import re
from functools import partial

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from smscatch.errors import NotFound, SmscatchError, Unauthorized
from smscatch.hosts import CalledHost
from smscatch.sending import Desk
from smscatch.web.auth import identify_by
from smscatch.web.bodies import read_body
from smscatch.web.compat import SEND_APIS, find_send_api
from smscatch.web.compat.base import Asked, SdkAnswer, SendApi, Url
from smscatch.web.endpoint import Endpoint, access_of, context_of

# Beside /twilio/…: the paths of Twilio's APIs as they are, for a base URL without any path.
ROOTS = {"2010-04-01": "twilio", "v2": "twilio"}


class _Provider(Convertor[str]):
    """What stands first in a path of a send API."""

    regex = "|".join(map(re.escape, (*SEND_APIS, *ROOTS)))

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Rest(_Provider):
    """What stands behind it: nothing, or a path. An SDK may call its base URL as it is."""

    regex = "(?:/.*)?"


register_url_convertor("provider", _Provider())
register_url_convertor("rest", _Rest())
PATH = "/{provider:provider}{path:rest}"


async def let_sender_in(request: Request, endpoint: Endpoint) -> None:
    """Let in whoever brings a key with the scope `send` where the provider's SDK puts the provider's key.

    Raises Unauthorized, Forbidden, BadRequest for a body that is too large.
    """
    asked = request.state.asked = await _read(request)
    secret = _api_of(request).find_key(asked)
    if not secret:
        raise Unauthorized("This needs a key with the scope send, in the place of the provider's.")
    request.state.secret = secret
    await identify_by(request, endpoint, secret)


async def handle(request: Request) -> Response:
    """Does what the provider's API does for this path. Raises NotFound if it does nothing."""
    asked, api, context = request.state.asked, _api_of(request), context_of(request)
    desk = Desk(
        _name_of(request),
        access_of(request),
        request.state.secret,
        committer=context.committer,
        callbacks=context.callbacks,
        noting=partial(context.repeats.noting, call=asked.call),
        late=context.late,
    )
    for operation in api.operations:
        found = re.fullmatch(operation.pattern, asked.path)
        if found is not None and operation.method == asked.method:
            access_of(request).check_scopes(operation.scopes)
            return _response(await operation.handle(asked, desk, found.groupdict()))
    raise NotFound(f"{asked.method} {asked.path} is not caught by smscatch.")


def refuse_sender(request: Request, error: SmscatchError) -> Response:
    """Answer an error as the provider does, and note it: a test whose text never came wants to know."""
    asked = getattr(request.state, "asked", None) or _asked(request, b"")
    context = context_of(request)
    called = CalledHost(host=_name_of(request), outcome="answered", reason=str(error.status))
    context.hosts.note([called], context.house.inbox.now())
    return _response(_api_of(request).refuse(error, asked))


def _name_of(request: Request) -> str:
    first: str = request.path_params["provider"]
    return ROOTS.get(first, first)


def _api_of(request: Request) -> SendApi:
    return find_send_api(_name_of(request))


async def _read(request: Request) -> Asked:
    return _asked(request, await read_body(request))


def _asked(request: Request, content: bytes) -> Asked:
    first, path = request.path_params["provider"], request.path_params["path"]
    base, path = ("", first + path) if first in ROOTS else (f"/{first}", path)
    address = f"{request.url.scheme}://{request.headers.get('host', '')}{base}"
    sent_path = request.scope.get("raw_path", b"").decode("latin-1")
    return Asked(request.method, Url(address, path, request.url.query, sent_path), request.headers, content)


def _response(answer: SdkAnswer) -> Response:
    return Response(answer.content, answer.status, dict(answer.headers), answer.media_type)
