"""What the app says of itself and of wrong calls: the OpenAPI description, methods, addresses, signing out."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from smscatch import keys
from smscatch.inbox import Inbox
from smscatch.leases import Leases
from smscatch.web import auth
from smscatch.web.app import make_app
from smscatch.web.openapi import describe_api
from smscatch.web.pages.docs import mark_code
from smscatch.web.routes import ENDPOINTS
from tests.surroundings import settings_in

PAGE = {"accept": "text/html"}


@pytest.fixture
async def app(inbox: Inbox, leases: Leases, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a key."""
    transport = httpx2.ASGITransport(make_app(inbox, leases, settings_in(tmp_path)), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def operation(method: str, path: str) -> dict[str, Any]:
    described: dict[str, Any] = describe_api(ENDPOINTS)["paths"][path][method]
    return described


@pytest.mark.parametrize(
    ("path", "schema", "required"),
    [
        ("/api/v1/explain", "Text", ["text"]),
        ("/api/v1/leases/{id}/extend", "Extension", []),
    ],
)
def test_the_body_of_a_post_is_described(path: str, schema: str, required: list[str]) -> None:
    body = operation("post", path)["requestBody"]
    assert body["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{schema}"}
    assert describe_api(ENDPOINTS)["components"]["schemas"][schema]["required"] == required
    assert "requestBody" not in operation("get", "/api/v1/messages")


def test_deliveries_are_described_alone_and_in_lists_with_an_answer_to_each() -> None:
    described = operation("post", "/api/v1/inbound/generic")
    delivery, taken, not_taken = (
        {"$ref": f"#/components/schemas/{name}"} for name in ("GenericDelivery", "Taken", "NotTaken")
    )
    body = described["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"anyOf": [delivery, {"type": "array", "items": delivery, "minItems": 1, "maxItems": 1000}]}
    answers = {
        status: described["responses"][status]["content"]["application/json"]["schema"] for status in ("200", "207")
    }
    assert answers["200"] == {"anyOf": [taken, {"type": "array", "items": taken}]}
    assert answers["207"] == {"type": "array", "items": {"anyOf": [taken, not_taken]}}
    schemas = describe_api(ENDPOINTS)["components"]["schemas"]
    assert schemas["GenericDelivery"]["required"] == ["line", "sender", "text"]


def test_the_stream_says_how_it_resumes() -> None:
    (header,) = [each for each in operation("get", "/api/v1/events")["parameters"] if each["in"] == "header"]
    assert header["name"] == "Last-Event-ID"


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("get", "/healthz", "200 400"),
        ("get", "/api/v1/lines", "200 400 401 403 429 503"),
        ("get", "/api/v1/code", "200 400 401 403 404 429 503"),
        ("delete", "/api/v1/messages/{id}", "204 400 401 403 404 429 503"),
        ("post", "/api/v1/inbound/generic", "200 207 400 401 403 422 429 503"),
    ],
)
def test_each_route_says_how_it_may_refuse(method: str, path: str, statuses: str) -> None:
    responses = operation(method, path)["responses"]
    assert sorted(responses) == [*statuses.split(), "default"]
    described = describe_api(ENDPOINTS)["components"]["responses"]
    for status in statuses.split()[1:]:
        if status == "207":
            continue
        refusal = described[responses[status]["$ref"].rpartition("/")[2]]
        assert refusal["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/messages", "DELETE, GET, HEAD"),
        ("GET", "/api/v1/explain", "POST"),
        ("POST", "/static/smscatch.css", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_answered_with_the_right_ones(
    app: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await app.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_a_slash_too_many_leads_nowhere_and_not_to_another_host(app: httpx2.AsyncClient) -> None:
    answer = await app.get("/api/v1/messages/", headers={"host": "evil.test"})
    assert (answer.status_code, "location" in answer.headers) == (404, False)


async def test_whoever_is_signed_in_can_sign_out_but_no_other_site_does_it(
    app: httpx2.AsyncClient, inbox: Inbox
) -> None:
    key, secret = await keys.add_key(inbox, "phone", ("ingest",))
    await app.post("/login", content=f"key={secret}")
    answer = await app.post("/logout", headers={**PAGE, "sec-fetch-site": "cross-site"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    session = await inbox.store.find_key(keys.hash_secret(app.cookies[auth.COOKIE]))
    assert session is not None
    assert session.parent == key.id
    secret_of_session = app.cookies[auth.COOKIE]
    answer = await app.post("/logout", headers={**PAGE, "sec-fetch-site": "same-origin"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert await inbox.store.find_key(keys.hash_secret(secret_of_session)) is None


def test_what_stands_between_backticks_is_code_and_nothing_else_is_html() -> None:
    assert mark_code("`cursor` is <i>not</i>") == "<code>cursor</code> is &lt;i&gt;not&lt;/i&gt;"
