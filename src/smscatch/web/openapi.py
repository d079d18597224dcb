"""The OpenAPI description, made from the route table and the message types (OpenAPI 3.1)."""

import inspect
from typing import Any

import msgspec

from smscatch import __version__
from smscatch.errors import (
    BadDelivery,
    BadRequest,
    Forbidden,
    LeaseEnded,
    NoFreeLine,
    NotFound,
    SmscatchError,
    StoreUnavailable,
    Unauthorized,
)
from smscatch.keys import INGEST, LEASE
from smscatch.messages import Lease, LeaseGroup, Line, Message
from smscatch.sources.generic import GenericDelivery
from smscatch.stores.records import Read
from smscatch.web.bodies import Extension, LeaseRequest
from smscatch.web.endpoint import Endpoint, Parameter


class MessagePage(msgspec.Struct):
    """Messages, newest first, with the cursors that lead on."""

    messages: list[Message]
    cursor: str
    next: str | None


class LineList(msgspec.Struct):
    """Our numbers."""

    lines: list[Line]


class LeaseList(msgspec.Struct):
    """Who has which line."""

    leases: list[Lease]


class ReadList(msgspec.Struct):
    """Who was given a message."""

    reads: list[Read]


class Error(msgspec.Struct):
    """What every refusal looks like; some carry further members."""

    error: str
    message: str


class Text(msgspec.Struct):
    """A text in which to look for a code."""

    text: str


SCHEMAS = (
    *(Message, MessagePage, ReadList, LineList, Lease, LeaseGroup, LeaseList),
    *(LeaseRequest, Extension, Error, Text, GenericDelivery),
)
REFUSALS = (BadRequest, Unauthorized, Forbidden, NotFound, NoFreeLine, LeaseEnded, BadDelivery, StoreUnavailable)


def describe_api(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """Return the description as a JSON value."""
    _, components = msgspec.json.schema_components(SCHEMAS, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        if endpoint.face.is_described:
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "smscatch", "version": __version__, "description": "SMS for tests, from your own SIM."},
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {kind.__name__: _refusal(kind) for kind in REFUSALS},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    summary, _, description = inspect.getdoc(endpoint.handler).partition("\n\n")  # type: ignore[union-attr]
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": summary,
        "description": description,
        "parameters": _path_parameters(endpoint.path)
        + _parameters(endpoint.parameters, "query")
        + _parameters(endpoint.headers, "header"),
        "responses": {
            str(endpoint.status): _response(endpoint),
            **{str(kind.status): {"$ref": f"#/components/responses/{kind.__name__}"} for kind in _refusals(endpoint)},
            "default": {"description": "A refusal", "content": _json_content("Error")},
        },
        "security": [{"bearer": []}, {"basic": []}] if endpoint.scopes else [],
    }
    if endpoint.body:
        operation["requestBody"] = {"required": True, "content": _json_content(endpoint.body)}
    return operation


def _refusals(endpoint: Endpoint) -> list[type[SmscatchError]]:
    """Return how this route may refuse; a misspelt query parameter is refused by every one."""
    is_guarded = bool(endpoint.scopes)
    can_miss = "{" in endpoint.path or any(parameter.name == "line" for parameter in endpoint.parameters)
    applies = {
        BadRequest: True,
        Unauthorized: is_guarded,
        Forbidden: is_guarded,
        NotFound: can_miss,
        NoFreeLine: endpoint.body == "LeaseRequest",
        LeaseEnded: LEASE in endpoint.scopes and "/{id}/" in endpoint.path,
        BadDelivery: INGEST in endpoint.scopes,
        StoreUnavailable: is_guarded,
    }
    return [kind for kind in REFUSALS if applies[kind]]


def _refusal(kind: type[SmscatchError]) -> dict[str, Any]:
    return {"description": inspect.getdoc(kind), "content": _json_content("Error")}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _parameters(parameters: tuple[Parameter, ...], place: str) -> list[dict[str, Any]]:
    described = []
    for parameter in parameters:
        schema: dict[str, Any] = {"type": parameter.type}
        if parameter.is_list:
            schema = {"type": "array", "items": schema}
        described.append({"name": parameter.name, "in": place, "description": parameter.help, "schema": schema})
    return described


def _response(endpoint: Endpoint) -> dict[str, Any]:
    if not endpoint.answer:
        return {"description": "Done"}
    if "/" in endpoint.answer:
        return {"description": "OK", "content": {endpoint.answer: {"schema": {}}}}
    return {"description": "OK", "content": _json_content(endpoint.answer)}


def _json_content(schemas: str) -> dict[str, Any]:
    """Return the JSON form of what has one of these schemas, which stand beside each other with | between them."""
    each = [{"$ref": f"#/components/schemas/{schema}"} for schema in schemas.split("|")]
    return {"application/json": {"schema": each[0] if len(each) == 1 else {"anyOf": each}}}
