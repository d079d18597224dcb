"""Deliveries over HTTP: a 200 means that the message is on disk (committing.py). What their formats are: sources."""

import asyncio
import secrets
import time

from starlette.requests import Request
from starlette.responses import Response

from smscatch.errors import BadDelivery, BadSignature, Forbidden, NotFound, WrongMethod
from smscatch.intake import Parsed, parse_entry
from smscatch.sources import generic
from smscatch.sources.webhook import Envelope, Incoming, Provider, Webhook, write_envelope
from smscatch.spool import Entry
from smscatch.web.api.answers import Taken
from smscatch.web.bodies import read_body
from smscatch.web.endpoint import Endpoint, access_of, context_of, inbox_of
from smscatch.web.responses import value_response
from smscatch.web.tries import address_of
from smscatch.web.unsigned import Refusal


async def receive(request: Request) -> Response:
    """Takes a message: `{"line": "+49…", "sender": "…", "text": "…", "id"?, "sent_at"?}`, or a form with these fields.

    Answers with the message's id once it is on disk, even while the database is away. With an `id` of your own a
    repeat is a no-op: the same key, line and `id`. `line` may be written in any way; the answer has it in E.164. One
    that is none of ours is taken too, lest a text be lost, and is `unconfigured`.
    """
    access = access_of(request)
    incoming = Incoming(request.method, str(request.url), str(request.url), request.headers, await read_body(request))
    entry = _entry(request, generic.SOURCE, f"key {access.owner}", incoming)
    parsed = _parse(request, entry)
    (message,) = parsed.messages
    access.check_line(message.line, doing="deliver to")
    await context_of(request).committer.keep([parsed])
    is_unconfigured = context_of(request).settings.is_unconfigured(message.line)
    return value_response(Taken(message.id, message.line, is_unconfigured))


async def let_provider_in(request: Request, endpoint: Endpoint) -> None:
    """Let in what is signed as the configured source that the path names signs (signature), and probes without a body.

    Raises BadSignature, NotFound, WrongMethod.
    """
    provider = _provider_of(request)
    if request.method == "HEAD":
        return
    methods = provider.webhook.methods
    if request.method not in methods:
        raise WrongMethod(f"Deliveries come here by {' or '.join(methods)}.", allow=", ".join((*methods, "HEAD")))
    incoming = request.state.incoming = await _read_incoming(request, provider)
    if provider.webhook.check is not None:
        provider.webhook.check(incoming, provider.secrets, inbox_of(request).now())


def note_refused(request: Request, error: BadSignature) -> None:
    """Keep and log what was wrong with the signature of a request."""
    refusal = Refusal(inbox_of(request).now(), address_of(request), str(error))
    context_of(request).unsigned.note(request.path_params["source"], refusal)


async def receive_signed(request: Request) -> Response:
    """Takes a delivery of a configured source, in the form of its provider; a repeat is a no-op."""
    provider = _provider_of(request)
    if request.method != "HEAD":
        await _take_signed(request, provider, request.state.incoming)
    answer = provider.webhook.answer
    return Response(answer.content, media_type=answer.media_type)


async def _take_signed(request: Request, provider: Provider, incoming: Incoming) -> None:
    entry = _entry(request, provider.webhook, f"source {provider.name}", incoming)
    try:
        parsed = _parse(request, entry)
    except BadDelivery:  # what is signed is no stranger's: it is put aside with the reason when the spool is drained
        await asyncio.to_thread(context_of(request).spool.write, entry)
        raise
    for one in parsed.messages:
        if provider.lines is not None and one.line not in provider.lines:
            raise Forbidden(f"The source {provider.name} may not deliver to the line {one.line}.", line=one.line)
    if parsed.messages:  # else it tells of something that is no text
        await context_of(request).committer.keep([parsed])


def _provider_of(request: Request) -> Provider:
    name = request.path_params["source"]
    provider = context_of(request).providers.get(name)
    if provider is not None:
        return provider
    if name == generic.KIND:
        raise WrongMethod("Deliveries come here by POST.", allow="POST")
    raise NotFound(
        f"No source is called {name!r} here. [sources.{name}] in smscatch.toml makes one; generic needs none."
    )


async def _read_incoming(request: Request, provider: Provider) -> Incoming:
    query = request.scope["query_string"]
    asked = f"{request.url.scheme}://{request.headers.get('host', '')}{request.url.path}"
    known = asked if provider.public_url is None else provider.public_url.partition("?")[0]
    tail = f"?{query.decode('latin-1')}" if query else ""
    content = query if request.method == "GET" else await read_body(request)
    return Incoming(request.method, known + tail, asked + tail, request.headers, content)


def _entry(request: Request, webhook: Webhook, origin: str, incoming: Incoming) -> Entry:
    envelope = Envelope(
        received_at=inbox_of(request).now(),
        address=address_of(request),
        content_type=incoming.content_type,
        origin=origin,
        content=incoming.content,
        fields=webhook.fields,
    )
    return Entry(f"{time.time_ns():020d}-{secrets.token_hex(8)}", webhook.kind, write_envelope(envelope))


def _parse(request: Request, entry: Entry) -> Parsed:
    """Return what an entry holds: what is acknowledged can be read. Raises BadDelivery."""
    return parse_entry(entry, context_of(request).settings.line_of)
