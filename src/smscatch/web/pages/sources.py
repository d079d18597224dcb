"""Adding a source from the page of the lines, changing its secret, and removing it."""

import tomllib
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smscatch.deliverers import NewSource
from smscatch.errors import BadRequest, SourceExists
from smscatch.web.api.sources import check_all_lines, log_change, with_secret
from smscatch.web.endpoint import texts_of
from smscatch.web.pages.gates import SourceForm
from smscatch.web.pages.lines import show_lines
from smscatch.web.pages.login import read_form

TABLES = ("fields", "signature")
HOME = "/lines#sources"


async def make_source(request: Request) -> Response:
    """Add a source, and show its secret: this once, in the answer itself."""
    context = check_all_lines(request)
    given = await read_form(request)
    form = _read(given)
    try:
        new = _parse(request, form, given.get("secret", [""])[0])
        provider, secret = await context.deliverers.add(new)
    except (BadRequest, SourceExists) as error:
        return HTMLResponse(await show_lines(request, form=form._replace(error=str(error))), error.status)
    log_change(request, provider.name, f"added, of the kind {provider.webhook.kind},")
    return HTMLResponse(await show_lines(request, made=with_secret(context, provider, secret)))


async def change_source_secret(request: Request) -> Response:
    """Give a source another secret, and show it; the one before is good until it is dropped."""
    context, name = check_all_lines(request), request.path_params["source"]
    given = (await read_form(request)).get("secret", [""])[0]
    provider, secret = await context.deliverers.add_secret(name, given)
    log_change(request, name, "given another secret")
    return HTMLResponse(await show_lines(request, made=with_secret(context, provider, secret)))


async def drop_old_secrets(request: Request) -> Response:
    """Have only the newest secret of a source be good, and go back to the lines."""
    context, name = check_all_lines(request), request.path_params["source"]
    await context.deliverers.drop_old_secrets(name)
    log_change(request, name, "left with its newest secret alone")
    return RedirectResponse(HOME, 303)


async def remove_added(request: Request) -> Response:
    """Remove a source, from the form that asked first, and go back to the lines."""
    context, name = check_all_lines(request), request.path_params["source"]
    await context.deliverers.remove(name)
    context.arrivals.forget(name)
    log_change(request, name, "removed")
    return RedirectResponse(HOME, 303)


def _read(given: dict[str, list[str]]) -> SourceForm:
    name, kind, server, tables = (given.get(field, [""])[0].strip() for field in ("name", "kind", "server", "tables"))
    lines = tuple(dict.fromkeys(given.get("line", [])))
    return SourceForm(name, kind, server, tables, sees_all=given.get("reach") == ["all"], lines=lines)


def _parse(request: Request, form: SourceForm, secret: str) -> NewSource:
    """Return the source that a form describes. Raises BadRequest."""
    if not form.sees_all and not form.lines:
        raise BadRequest(texts_of(request)("sources.no_line"))  # not all of them: that has to be said
    return NewSource(
        name=form.name,
        kind=form.kind,
        secret=secret,
        public_url=f"{form.server.rstrip('/')}/api/v1/inbound/{form.name}" if form.server else None,
        lines=() if form.sees_all else form.lines,
        **_parse_tables(form.tables),
    )


def _parse_tables(written: str) -> dict[str, Any]:
    try:
        tables = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        raise BadRequest(f"The tables are no TOML: {error}.") from error
    if not set(tables) <= set(TABLES):
        raise BadRequest(f"Of the tables only {' and '.join(f'[{name}]' for name in TABLES)} stand here.")
    return tables
