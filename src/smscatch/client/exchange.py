"""What the client says to the server, one request at a time, and what an answer means. No I/O here.

A conversation is a generator: it yields what to send, is sent the answer or thrown the error, and returns its result.
So `Client` and `AsyncClient` differ only in how they send.
"""

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple, TypeVar

import httpx2

from smscatch.errors import CannotReach, SmscatchError

T = TypeVar("T")
SLACK_SECONDS = 10.0
PASSING_STATUS = (502, 503, 504)  # of a proxy whose server is away for a moment


class Ask(NamedTuple):
    """A request; parameters that are None are left out. The server may take `patience_seconds` before it answers."""

    method: str
    path: str
    params: Mapping[str, Any] = {}
    body: Mapping[str, Any] | None = None
    patience_seconds: float = 0.0

    def build(self, http: httpx2.Client | httpx2.AsyncClient) -> httpx2.Request:
        """Return it for httpx2."""
        return http.build_request(
            self.method,
            self.path,
            params={name: value for name, value in self.params.items() if value is not None},
            json=None if self.body is None else {name: value for name, value in self.body.items() if value is not None},
            timeout=self.patience_seconds + SLACK_SECONDS,
        )


class Pause(NamedTuple):
    """Nothing to send for a while."""

    seconds: float


Conversation = Generator[Ask | Pause, httpx2.Response | None, T]


def ask(request: Ask) -> Conversation[httpx2.Response]:
    """Send one request; return the answer to it."""
    answer = yield request
    if answer is None:
        raise TypeError("whoever drives a conversation answers each Ask")
    return answer


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
        raise SmscatchError(f"{response.url} answered {response.status_code}: is that a smscatch server?") from None
    kind = _errors_by_code(SmscatchError).get(code, SmscatchError)
    raise kind(message, **body)


def cannot_reach(url: str, error: httpx2.TransportError) -> CannotReach:
    """Return what to say of a server that does not answer."""
    return CannotReach(
        f"The server at {url} does not answer ({error or type(error).__name__}). Does it run, and is that its address?"
    )


def _errors_by_code(root: type[SmscatchError]) -> dict[str, type[SmscatchError]]:
    found = {root.code: root}
    for kind in root.__subclasses__():
        found |= _errors_by_code(kind)
    return found
