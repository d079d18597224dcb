"""What an administrator sees of the sources: who may deliver, what was refused, how binds are. No text is in it."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from smscatch.messages import Time
from smscatch.web.endpoint import Context, access_of, context_of
from smscatch.web.responses import value_response


class RefusalView(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose signature was wrong, from which address it came, and which part of it differs."""

    at: Time
    address: str
    reason: str


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """Who delivers texts to `path`, signed in the way of its `kind`, of `lines`, or of any if there are none.

    `refused` are the newest requests since this server was started whose signature was wrong, the newest first.
    """

    name: str
    kind: str
    path: str
    public_url: str | None
    lines: tuple[str, ...]
    refused: list[RefusalView]


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
    """Who delivers texts over HTTP with a signature: where to, and why requests were refused; and who by SMPP.

    For a key that sees all lines.
    """
    access_of(request).check_all_lines("sources")
    context = context_of(request)
    sources = [
        SourceView(
            name=provider.name,
            kind=provider.webhook.kind,
            path=f"/api/v1/inbound/{provider.name}",
            public_url=provider.public_url,
            lines=provider.lines or (),
            refused=[
                RefusalView(at=refusal.at, address=refusal.address, reason=refusal.reason)
                for refusal in context.unsigned.of(provider.name)
            ],
        )
        for provider in context.providers.values()
    ]
    return value_response(SourceList(sources, _list_smscs(context)))


def _list_smscs(context: Context) -> list[SmscView]:
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
