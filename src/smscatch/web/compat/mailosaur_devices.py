"""Mailosaur's devices: authenticator apps of the key, and the one-time passwords that they show now.

Source: Mailosaur's API documentation ("Devices"), and the clients mailosaur 8.1 for Python, 11.1 for npm and 5.0 for
Cypress, which were run: they take what has a hyphen for an id, and ask with anything else as a shared secret.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from smscatch.authenticators import Authenticator, Authenticators
from smscatch.times import format_time
from smscatch.totp import parse_totp
from smscatch.web.bodies import parse_body
from smscatch.web.endpoint import access_of
from smscatch.web.responses import json_response


class DeviceForm(msgspec.Struct, frozen=True, rename="camel"):
    """What a device is made of, or a code without one."""

    name: str | None = None
    shared_secret: str | None = None


async def list_devices(request: Request) -> Response:
    """GET /api/devices"""
    return _answer({"items": [_to_device(each) for each in await _devices(request).all()]})


async def create_device(request: Request) -> Response:
    """POST /api/devices"""
    given = await parse_body(request, DeviceForm)
    return _answer(_to_device(await _devices(request).add(given.name or "", given.shared_secret or "")))


async def device_code(request: Request) -> Response:
    """GET /api/devices/{id}/otp"""
    return _code((await _devices(request).find(request.path_params["id"])).secret)


async def code_of_secret(request: Request) -> Response:
    """POST /api/devices/otp"""
    return _code((await parse_body(request, DeviceForm)).shared_secret or "")


async def delete_device(request: Request) -> Response:
    """DELETE /api/devices/{id}"""
    await _devices(request).remove(request.path_params["id"])
    return Response(status_code=204)


def _devices(request: Request) -> Authenticators:
    access = access_of(request)
    return Authenticators(access.house.inbox, access.house.settings, access.owner)


def _to_device(authenticator: Authenticator) -> dict[str, str]:
    return {"id": authenticator.id, "name": authenticator.name}


def _code(secret: str) -> Response:
    totp = parse_totp(secret)
    now = datetime.now(UTC).timestamp()  # of the world, which the application checks it by
    expires = datetime.fromtimestamp(totp.expires(now), UTC)
    return _answer({"code": totp.code(now), "expires": format_time(expires)})


def _answer(told: dict[str, Any]) -> Response:
    return json_response(msgspec.json.encode(told))
