"""What the client says to the server, one request at a time, and what an answer means. No I/O here.

A conversation is a generator: it yields what to send, is sent the answer or thrown the error, and returns its result.
So `Client` and `AsyncClient` differ only in how they send.
"""

import ssl
from collections.abc import Generator, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar

import httpx2
import msgspec

from smscatch.client.pooling import AsyncPools, Pools
from smscatch.errors import BadSetting, CannotReach, ShuttingDown, SmscatchError, StoreUnavailable

T = TypeVar("T")
SLACK_SECONDS = 10.0
GOODBYE_SECONDS = 3.0
# Shorter than the minute after which many proxies give up, and a connection that died without a word is found in time.
POLL_SECONDS = 20.0
PAUSE_SECONDS = 0.5
PASSING = (CannotReach, ShuttingDown, StoreUnavailable)
LIMITS = httpx2.Limits(
    max_connections=None,  # each wait holds one; none shall wait for another's
    keepalive_expiry=2.0,  # uvicorn closes an idle connection after 5 s; ours shall not be sent on just then
)
# What is sent on an idle connection that the other end has closed meanwhile fails with one of these.
CLOSED = (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)
PASSING_STATUS = (502, 503, 504)  # of a proxy whose server is away for a moment


def is_ours(caught: Any) -> bool:
    """Tell pytest, which asks each module's `__tracebackhide__`, to leave our frames out of an error of ours.

    What matters is the line of the test. https://docs.pytest.org/en/stable/example/simple.html#writing-well-integrated-assertion-helpers
    """
    return bool(caught.errisinstance(SmscatchError))


__tracebackhide__ = is_ours


class Ask(NamedTuple):
    """A request; parameters that are None are left out. The server may take `patience_seconds` before it answers.

    A goodbye is sent by who is about to leave: it is not cut off, and takes a few seconds at most. What asks for the
    present moment is sent once: a second answer would tell of another moment.
    """

    method: str
    path: str
    params: Mapping[str, Any] = {}
    body: Mapping[str, Any] | None = None
    patience_seconds: float = 0.0
    is_goodbye: bool = False
    is_once: bool = False

    def build(self, http: httpx2.Client | httpx2.AsyncClient) -> httpx2.Request:
        """Return it for httpx2."""
        return http.build_request(
            self.method,
            self.path,
            params={name: value for name, value in self.params.items() if value is not None},
            json=None if self.body is None else {name: value for name, value in self.body.items() if value is not None},
            timeout=GOODBYE_SECONDS if self.is_goodbye else self.patience_seconds + SLACK_SECONDS,
        )


class Pause(NamedTuple):
    """Nothing to send for a while."""

    seconds: float


Conversation = Generator[Ask | Pause, httpx2.Response | None, T]


def ask(request: Ask) -> Conversation[httpx2.Response]:
    """Send one request; return the answer to it."""
    try:
        answer = yield request
    except CannotReach as error:
        # All else that we send may be sent twice: who asks for a lease has a ticket. A wait itself asks again, for what
        # is left of its time.
        if request.patience_seconds or request.is_once or not isinstance(error.__cause__, CLOSED):
            raise
        answer = yield request
    if answer is None:
        raise TypeError("whoever drives a conversation answers each Ask")
    return answer


def open_http(url: str, key: str) -> httpx2.Client:
    """Return what sends to a server in threads. Raises BadSetting for an address that cannot be one."""
    verify = trusted_for(url)
    pools = Pools(lambda: httpx2.HTTPTransport(verify=verify, limits=LIMITS, trust_env=False))
    return httpx2.Client(base_url=url, headers=_headers(key), trust_env=False, transport=pools)


def open_async_http(url: str, key: str) -> httpx2.AsyncClient:
    """Return what sends to a server in asyncio: see open_http."""
    verify = trusted_for(url)
    pools = AsyncPools(lambda: httpx2.AsyncHTTPTransport(verify=verify, limits=LIMITS, trust_env=False))
    return httpx2.AsyncClient(base_url=url, headers=_headers(key), trust_env=False, transport=pools)


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def trusted_for(url: str) -> ssl.SSLContext:
    """Return what certificates are held against. Raises BadSetting for an address that cannot be one."""
    try:
        is_plain = httpx2.URL(url).scheme == "http"
        return _nobody() if is_plain else _authorities()  # redirects, which could lead to HTTPS, are not followed
    except httpx2.InvalidURL as error:
        from smscatch.settings import hide_password  # noqa: PLC0415 - for those who set one

        raise BadSetting(f"url = {hide_password(url)!r} is not accepted: {error}.") from error


@cache
def _nobody() -> ssl.SSLContext:
    """Return what httpx2 wants for plain HTTP too, where no certificate is looked at."""
    return httpx2.create_ssl_context(verify=False, trust_env=False)


@cache
def _authorities() -> ssl.SSLContext:
    """Return the certificate authorities that are trusted; reading them takes 50 ms, so all clients share one."""
    return httpx2.create_ssl_context(trust_env=False)


def check(response: httpx2.Response) -> httpx2.Response:
    """Return a good answer. Raises the error that the server named by its stable code."""
    if response.is_success:
        return response
    try:
        body = response.json()
        code, message = body.pop("error"), body.pop("message")
    except (ValueError, KeyError, TypeError, AttributeError):
        if response.status_code in PASSING_STATUS:
            raise CannotReach(f"What stands in front of {response.url} answered {response.status_code}.") from None
        raise no_server(f"{response.url} answered {response.status_code}") from None
    kind = _errors_by_code(SmscatchError).get(code, SmscatchError)
    raise kind(message, **body)


def read(answer: httpx2.Response, form: type[T]) -> T:
    """Return what an answer holds. Raises SmscatchError if it is nothing that our server says."""
    try:
        return msgspec.json.decode(answer.content, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise no_server(f"{answer.url} answered what is not in our form ({error})") from error


def no_server(what: str) -> SmscatchError:
    """Return what to say of an answer that is none of ours: of a captive portal, or of another program on the port."""
    return SmscatchError(f"{what}: is that a smscatch server?")


def cannot_reach(url: str, error: httpx2.RequestError) -> CannotReach:
    """Return what to say of a server that does not answer."""
    # httpx2 quotes a header that it does not send, which may be the one with the key.
    said = "" if isinstance(error, httpx2.LocalProtocolError) else str(error)
    from smscatch.settings import hide_password  # noqa: PLC0415 - for those who set one

    return CannotReach(
        f"The server at {hide_password(url)} does not answer ({said or type(error).__name__})."
        " Does it run, and is that its address?"
    )


def refuse_closed(http: httpx2.Client | httpx2.AsyncClient) -> None:
    """Raise SmscatchError if a client was closed; a wait of another thread ends with it at its next request."""
    if http.is_closed:
        raise SmscatchError("This client is closed. Make a new one, or close it later.")


def _errors_by_code(root: type[SmscatchError]) -> dict[str, type[SmscatchError]]:
    found = {root.code: root}
    for kind in root.__subclasses__():
        found |= _errors_by_code(kind)
    return found
