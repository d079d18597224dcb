"""Signed deliveries over HTTP: a 200 means that the message is on disk (committing.py). Their formats: sources."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from smscatch.errors import BadDelivery, Forbidden, NotFound, SmscatchError, WrongMethod
from smscatch.intake import parse_entry
from smscatch.sources.generic import KIND as GENERIC
from smscatch.sources.webhook import Envelope, Incoming, Provider, Webhook, write_envelope
from smscatch.spool import Entry, new_name
from smscatch.web.addresses import address_of
from smscatch.web.arrivals import Refusal, TakenDelivery
from smscatch.web.bodies import read_body
from smscatch.web.endpoint import Endpoint, context_of, inbox_of


async def let_provider_in(request: Request, endpoint: Endpoint) -> None:
    """Let in what is signed as the configured source that the path names signs (signature), and probes without a body.

    Raises BadSignature, NotFound, WrongMethod.
    """
    provider = request.state.provider = await _find_provider(request)
    if request.method == "HEAD":
        return
    methods = provider.webhook.methods
    if request.method not in methods:
        raise WrongMethod(f"Deliveries come here by {' or '.join(methods)}.", allow=", ".join((*methods, "HEAD")))
    incoming = request.state.incoming = await _read_incoming(request, provider)
    if provider.webhook.check is not None:
        provider.webhook.check(incoming, provider.secrets, inbox_of(request).now())


def note_refused(request: Request, error: SmscatchError) -> None:
    """Keep and log what was wrong with a request, such as its signature."""
    refusal = Refusal(inbox_of(request).now(), address_of(request), str(error))
    context_of(request).arrivals.note_refused(request.path_params["source"], refusal)


async def receive_signed(request: Request) -> Response:
    """Takes a delivery of a configured source, in the form of its provider; a repeat is a no-op."""
    provider: Provider = request.state.provider
    if request.method != "HEAD":
        await _take_signed(request, provider, request.state.incoming)
    answer = provider.webhook.answer
    return Response(answer.content, media_type=answer.media_type)


async def _take_signed(request: Request, provider: Provider, incoming: Incoming) -> None:
    envelope = envelope_of(request, provider.webhook, f"source {provider.name}", incoming)
    entry = Entry(new_name(), provider.webhook.kind, write_envelope(envelope))
    try:
        parsed = parse_entry(entry, context_of(request).settings.line_of)
    except BadDelivery as error:  # what is signed is no stranger's: it is put aside when the spool is drained
        note_refused(request, error)
        await asyncio.to_thread(context_of(request).spool.write, entry)
        raise
    for one in parsed.messages:
        if provider.lines is not None and one.line not in provider.lines:
            refused = Forbidden(f"The source {provider.name} may not deliver to the line {one.line}.", line=one.line)
            note_refused(request, refused)
            raise refused
    if parsed.messages:  # else it tells of something that is no text
        await context_of(request).committer.keep(parsed)
    taken = TakenDelivery(envelope.received_at, envelope.address, tuple(one.id for one in parsed.messages))
    context_of(request).arrivals.note_taken(provider.name, taken)


async def _find_provider(request: Request) -> Provider:
    name = request.path_params["source"]
    provider = await context_of(request).deliverers.find(name)
    if provider is not None:
        return provider
    if name == GENERIC:
        raise WrongMethod("Deliveries come here by POST.", allow="POST")
    raise NotFound(
        f"No source is called {name!r} here. An administrator adds one on the page of the lines, or as"
        f" [sources.{name}] in smscatch.toml; generic needs none."
    )


async def _read_incoming(request: Request, provider: Provider) -> Incoming:
    query = request.scope["query_string"]
    asked = f"{request.url.scheme}://{request.headers.get('host', '')}{request.url.path}"
    known = asked if provider.public_url is None else provider.public_url.partition("?")[0]
    tail = f"?{query.decode('latin-1')}" if query else ""
    content = query if request.method == "GET" else await read_body(request)
    return Incoming(request.method, known + tail, asked + tail, request.headers, content)


def envelope_of(request: Request, webhook: Webhook, origin: str, incoming: Incoming) -> Envelope:
    """Return a delivery as it is kept; `origin` as `name_delivery` has it."""
    return Envelope(
        received_at=inbox_of(request).now(),
        address=address_of(request),
        content_type=incoming.content_type,
        origin=origin,
        content=incoming.content,
        fields=webhook.fields,
    )
