"""The sources on the page of the lines, for an administrator of all lines: what each is, and the form for another."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from starlette.requests import Request

from smscatch.keys import ADMIN
from smscatch.sources import signed_kinds
from smscatch.web.api.sources import SmscView, SourceView, SourceWithSecret, list_smscs, show_sources
from smscatch.web.endpoint import access_of, context_of


class SourceForm(NamedTuple):
    """What stands in the form of a new source; `error` says why it was refused, if it was. Never the secret.

    `server` is this server's address as the service calls it; `tables` are those of the kind signed, as TOML.
    """

    name: str = ""
    kind: str = "smsgate"
    server: str = ""
    tables: str = ""
    sees_all: bool = True
    lines: tuple[str, ...] = ()
    error: str = ""


class SourceCard(NamedTuple):
    """A source as the page shows it, and the address to paste into the service's console."""

    source: SourceView
    address: str


class Gates(NamedTuple):
    """What the section shows; `made` is a source whose secret was set just now."""

    cards: list[SourceCard]
    smscs: list[SmscView]
    kinds: Sequence[str]
    form: SourceForm
    made: SourceCard | None = None


async def show_gates(
    request: Request, *, made: SourceWithSecret | None = None, form: SourceForm | None = None
) -> dict[str, Any]:
    """Return the section's values for the template; none for a key that may not see the sources."""
    access = access_of(request)
    if not access.may((ADMIN,)) or access.key.lines is not None:
        return {"gates": None}
    base = server_of(request)
    sources = await show_sources(context_of(request))
    shown = form or SourceForm(server=base)
    return {
        "gates": Gates(
            [_card(source, base) for source in sources],
            list_smscs(context_of(request)),
            tuple(signed_kinds()),
            shown,
            None if made is None else _card(made, base),
        )
    }


def server_of(request: Request) -> str:
    """Return this server's address as the browser calls it."""
    return str(request.base_url).rstrip("/")


def _card(source: SourceView, base: str) -> SourceCard:
    return SourceCard(source, source.public_url or base + source.path)
