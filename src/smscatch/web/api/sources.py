"""What an administrator sees of the sources, and changes: who may deliver, what came, how binds are. No texts."""

import logging
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from smscatch.deliverers import NewSource
from smscatch.sources.webhook import Provider
from smscatch.times import Time
from smscatch.web.bodies import NewSecret, parse_body
from smscatch.web.endpoint import Context, access_of, context_of
from smscatch.web.responses import value_response

log = logging.getLogger(__name__)


class TakenView(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that was taken, from which address it came, and the ids of its texts; none in any other event."""

    at: Time
    address: str
    ids: tuple[str, ...]


class RefusalView(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was refused, from which address it came, and why: of a wrong signature, which part differs."""

    at: Time
    address: str
    reason: str


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """Who delivers texts to `path`, signed in the way of its `kind`, of `lines`, or of any if there are none.

    `public_url` is the address to give the service. `configured`: it stands in smscatch.toml. `secrets` is how many are
    good: two while one takes the other's place. `taken` and `refused` are the newest since this server was started.
    """

    name: str
    kind: str
    path: str
    public_url: str | None
    lines: tuple[str, ...]
    configured: bool
    secrets: int
    taken: list[TakenView]
    refused: list[RefusalView]


class SourceWithSecret(SourceView, frozen=True, kw_only=True):
    """A source whose `secret` was set just now; it is not shown again."""

    secret: str


class BindView(msgspec.Struct, frozen=True, kw_only=True):
    """A bind to an SMSC: `state` is one of smpp/states.py, "bound" where texts come. `error` is a sentence, or null."""

    state: str
    since: Time
    error: str | None


class SmscView(msgspec.Struct, frozen=True, kw_only=True):
    """A carrier's SMSC to which we bind, and how each of the binds is."""

    name: str
    host: str
    port: int
    tls: bool
    binds: list[BindView]


class SourceList(msgspec.Struct):
    """Who delivers texts over HTTP with a signature, and who by SMPP."""

    sources: list[SourceView]
    smpp: list[SmscView]


async def list_sources(request: Request) -> Response:
    """Who delivers texts over HTTP with a signature: where to, what came, why requests were refused; and who by SMPP.

    For a key that sees all lines.
    """
    context = check_all_lines(request)
    return value_response(SourceList(await show_sources(context), list_smscs(context)))


async def add_source(request: Request) -> Response:
    """Adds a source, as a table `[sources.NAME]` would; no restart is needed. Its secret is in the answer, this once.

    Without a `secret` one is made, where the service can be told it. For a key that sees all lines.
    """
    context = check_all_lines(request)
    provider, secret = await context.deliverers.add(await parse_body(request, NewSource))
    log_change(request, provider.name, f"added, of the kind {provider.webhook.kind},")
    return value_response(with_secret(context, provider, secret), 201)


async def add_source_secret(request: Request) -> Response:
    """Gives a source that was added a new secret; the one before stays good beside it until it is dropped."""
    context, name = check_all_lines(request), request.path_params["source"]
    given = await parse_body(request, NewSecret)
    provider, secret = await context.deliverers.add_secret(name, given.secret)
    log_change(request, name, "given another secret")
    return value_response(with_secret(context, provider, secret), 201)


async def drop_source_secrets(request: Request) -> Response:
    """Has only the newest secret of a source that was added be good."""
    context, name = check_all_lines(request), request.path_params["source"]
    await context.deliverers.drop_old_secrets(name)
    log_change(request, name, "left with its newest secret alone")
    return Response(status_code=204)


async def remove_source(request: Request) -> Response:
    """Removes a source that was added: what it still sends is refused."""
    context, name = check_all_lines(request), request.path_params["source"]
    await context.deliverers.remove(name)
    context.arrivals.forget(name)
    log_change(request, name, "removed")
    return Response(status_code=204)


def check_all_lines(request: Request) -> Context:
    """Return what the handlers share. Raises Forbidden for a key that does not see all lines."""
    access_of(request).check_all_lines("sources")
    return context_of(request)


def log_change(request: Request, name: str, what: str) -> None:
    """Have on record which key changed a source."""
    key = access_of(request).key
    log.info("source %s was %s by the key %s (%s)", name, what, key.parent or key.id, key.name)


async def show_sources(context: Context) -> list[SourceView]:
    """Return how all sources are."""
    return [SourceView(**_facts(context, provider)) for provider in await context.deliverers.all()]


def with_secret(context: Context, provider: Provider, secret: str) -> SourceWithSecret:
    """Return how a source is, with the secret that was set just now."""
    return SourceWithSecret(**_facts(context, provider), secret=secret)


def _facts(context: Context, provider: Provider) -> dict[str, Any]:
    taken, refused = context.arrivals.taken(provider.name), context.arrivals.refused(provider.name)
    return {
        "name": provider.name,
        "kind": provider.webhook.kind,
        "path": f"/api/v1/inbound/{provider.name}",
        "public_url": provider.public_url,
        "lines": provider.lines or (),
        "configured": context.deliverers.is_configured(provider.name),
        "secrets": len(provider.secrets),
        "taken": [TakenView(at=one.at, address=one.address, ids=tuple(one.ids)) for one in taken],
        "refused": [RefusalView(at=one.at, address=one.address, reason=one.reason) for one in refused],
    }


def list_smscs(context: Context) -> list[SmscView]:
    """Return how the binds to all carriers are."""
    return [
        SmscView(
            name=name,
            host=smsc.host,
            port=smsc.port,
            tls=smsc.tls,
            binds=[BindView(state=one.state, since=one.since, error=one.error) for one in context.binds.of(name)],
        )
        for name, smsc in context.settings.smpp.items()
    ]
