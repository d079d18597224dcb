"""The OpenAPI description, made from the route table and the message types (OpenAPI 3.1)."""

import inspect
from typing import Any

import msgspec

from smscatch import __version__
from smscatch.messages import Line, Message
from smscatch.web.endpoint import Endpoint


class MessagePage(msgspec.Struct):
    """Messages, newest first, with the cursors that lead on."""

    messages: list[Message]
    cursor: str
    next: str | None


class LineList(msgspec.Struct):
    """Our numbers."""

    lines: list[Line]


class Error(msgspec.Struct):
    """What every refusal looks like; some carry further members."""

    error: str
    message: str


SCHEMAS = (Message, MessagePage, LineList, Error)


def describe_api(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """Return the description as a JSON value."""
    _, components = msgspec.json.schema_components(SCHEMAS, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        if not endpoint.is_page:
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "smscatch", "version": __version__, "description": "SMS for tests, from your own SIM."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    summary, _, description = inspect.getdoc(endpoint.handler).partition("\n\n")  # type: ignore[union-attr]
    return {
        "operationId": endpoint.handler.__name__,
        "summary": summary,
        "description": description,
        "parameters": _path_parameters(endpoint.path) + _query_parameters(endpoint),
        "responses": {
            str(endpoint.status): _response(endpoint),
            "default": {"description": "A refusal", "content": _json_content("Error")},
        },
        "security": [{"bearer": []}, {"basic": []}] if endpoint.scope else [],
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    described = []
    for parameter in endpoint.parameters:
        schema: dict[str, Any] = {"type": parameter.type}
        if parameter.is_list:
            schema = {"type": "array", "items": schema}
        described.append({"name": parameter.name, "in": "query", "description": parameter.help, "schema": schema})
    return described


def _response(endpoint: Endpoint) -> dict[str, Any]:
    if not endpoint.answer:
        return {"description": "Done"}
    if "/" in endpoint.answer:
        return {"description": "OK", "content": {endpoint.answer: {"schema": {}}}}
    return {"description": "OK", "content": _json_content(endpoint.answer)}


def _json_content(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
