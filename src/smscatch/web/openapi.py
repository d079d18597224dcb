"""The OpenAPI description, made from the route table and the message types (OpenAPI 3.1)."""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from smscatch import __version__
from smscatch.deliverers import NewSource
from smscatch.errors import BadRequest, Forbidden, SmscatchError, StoreUnavailable, TooManyTries, Unauthorized
from smscatch.hosts import HostList
from smscatch.letting import LeaseRequest
from smscatch.messages import Lease, LeaseGroup, Message, SmppServer
from smscatch.replying import Replied, ReplyRequest
from smscatch.sinks.calls import CallList
from smscatch.sinks.report import SinkList
from smscatch.sources.generic import GenericDelivery
from smscatch.weather import NewWeather, WeatherRule, WeatherRules
from smscatch.web.api.answers import (
    Alive,
    DocumentOf2018,
    Error,
    LeaseList,
    LineList,
    MessagePage,
    NotTaken,
    Readiness,
    ReadList,
    Taken,
)
from smscatch.web.api.explaining import Explained
from smscatch.web.api.sources import SourceList, SourceWithSecret
from smscatch.web.bodies import Extension, NewSecret, Text
from smscatch.web.compat.firebase import VerificationCodes
from smscatch.web.endpoint import Endpoint, Parameter
from smscatch.web.responses import JSON

ANSWERS = (
    *(Message, MessagePage, ReadList, LineList, Lease, LeaseGroup, LeaseList, Explained, Taken, NotTaken),
    *(DocumentOf2018, Alive, CallList, HostList, Readiness, Replied, WeatherRule, WeatherRules),
    *(SinkList, SmppServer, SourceList, SourceWithSecret, VerificationCodes, Error),
)
BODIES = (HostList, LeaseRequest, Extension, Text, GenericDelivery, NewSource, NewSecret, NewWeather, ReplyRequest)
# What every route may refuse with: a misspelt parameter, and, if it needs a key, the key or the store behind it.
ALWAYS = (BadRequest,)
GUARDED = (Unauthorized, Forbidden, TooManyTries, StoreUnavailable)


def describe_api(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """Return the description as a JSON value."""
    shown = [endpoint for endpoint in endpoints if endpoint.face.is_described]
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in shown:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    refusals = {kind for endpoint in shown for kind in _refusals(endpoint)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "smscatch", "version": __version__, "description": "SMS for tests, from your own SIM."},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "responses": {kind.__name__: _refusal(kind) for kind in sorted(refusals, key=lambda kind: kind.__name__)},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _schemas() -> dict[str, Any]:
    """Return the schemas by name. An answer has each of its members, also those that have a default."""
    _, answers = msgspec.json.schema_components(ANSWERS, ref_template="#/components/schemas/{name}")
    _, bodies = msgspec.json.schema_components(BODIES, ref_template="#/components/schemas/{name}")
    optional = {field.encode_name for kind in ANSWERS for field in _optional_fields(kind)}
    for schema in answers.values():
        if "properties" in schema:
            schema["required"] = [name for name in schema["properties"] if name not in optional]
    return answers | bodies


def _optional_fields(kind: type) -> list[msgspec.structs.FieldInfo]:
    """Return the fields of an answer that are left out when there is nothing to tell."""
    fields = msgspec.structs.fields(kind) if issubclass(kind, msgspec.Struct) else ()
    return [field for field in fields if field.default is msgspec.UNSET]


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
            **_partly(endpoint),
            **{str(kind.status): {"$ref": f"#/components/responses/{kind.__name__}"} for kind in _refusals(endpoint)},
            "default": {"description": "A refusal", "content": _json_content("Error")},
        },
        "security": [{"bearer": []}, {"basic": []}] if endpoint.scopes else [],
    }
    if endpoint.body:
        operation["requestBody"] = {"required": endpoint.needs_body, "content": _json_content(endpoint.body)}
    return operation


def _refusals(endpoint: Endpoint) -> tuple[type[SmscatchError], ...]:
    """Return how this route may refuse; of two with one status the route's own tells more, and comes last."""
    return (*ALWAYS, *(GUARDED if endpoint.scopes else ()), *endpoint.refuses)


def _refusal(kind: type[SmscatchError]) -> dict[str, Any]:
    return {"description": inspect.getdoc(kind), "content": _json_content("Error")}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _parameters(parameters: tuple[Parameter, ...], place: str) -> list[dict[str, Any]]:
    return [
        {
            "name": parameter.name,
            "in": place,
            "required": parameter.is_required,
            "description": parameter.help,
            "schema": _schema_of(parameter),
        }
        for parameter in parameters
    ]


def _schema_of(parameter: Parameter) -> Mapping[str, Any]:
    schema = {"type": parameter.type, **parameter.limits}
    if not parameter.is_list:
        return schema
    return {"type": "array", "items": schema, **parameter.items}


def _response(endpoint: Endpoint) -> dict[str, Any]:
    if not endpoint.answer:
        return {"description": "Done"}
    if "/" in endpoint.answer:
        schema = {"type": "object"} if endpoint.answer == JSON else {"type": "string"}
        return {"description": "OK", "content": {endpoint.answer: {"schema": schema}}}
    return {"description": "OK", "content": _json_content(endpoint.answer)}


def _partly(endpoint: Endpoint) -> dict[str, Any]:
    if not endpoint.partly:
        return {}
    schema = {"type": "array", "items": _schema_named(endpoint.partly)}
    return {"207": {"description": "Some are refused", "content": {JSON: {"schema": schema}}}}


def _json_content(named: str) -> dict[str, Any]:
    """Return the JSON form of what a row names: a schema, several with | between them, or a list of one as [SCHEMA].

    A list of 1 to 9 is [SCHEMA:9].
    """
    return {JSON: {"schema": _schema_named(named)}}


def _schema_named(named: str) -> dict[str, Any]:
    each = [_reference(name) for name in named.split("|")]
    return each[0] if len(each) == 1 else {"anyOf": each}


def _reference(name: str) -> dict[str, Any]:
    if name.startswith("["):
        item, _, most = name.strip("[]").partition(":")
        limits = {"minItems": 1, "maxItems": int(most)} if most else {}
        return {"type": "array", "items": _reference(item), **limits}
    return {"$ref": f"#/components/schemas/{name}"}
