"""The client that a test project uses; needs httpx2 and msgspec, nothing of the server."""

import time
from types import TracebackType
from typing import Any

import httpx2
import msgspec

from smscatch.errors import CannotReach, NoMessage, ShuttingDown, SmscatchError, StoreUnavailable
from smscatch.messages import Line, Message, decode_message

POLL_SECONDS = 50.0  # shorter than the minute after which many proxies give up
PAUSE_SECONDS = 0.5
SLACK_SECONDS = 10.0
PASSING_STATUS = (502, 503, 504)  # of a proxy whose server is away for a moment


class Client:
    """Speaks to a smscatch server at `url` with an API key. Use it in a `with` block, or close it.

    Every method raises Unauthorized or Forbidden for a key that may not, CannotReach if the server does not answer,
    and whatever else errors.py lists under the server's stable code.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx2.Client(
            base_url=self.url, headers={"authorization": f"Bearer {key}"}, timeout=SLACK_SECONDS, trust_env=False
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def messages(
        self,
        *,
        line: str | None = None,
        sender: str | None = None,
        contains: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> list[Message]:
        """Return up to `limit` messages, newest first. `after` is a cursor, an ISO 8601 time or an age such as 10m."""
        answer = self._get("/api/v1/messages", line=line, sender=sender, contains=contains, after=after, limit=limit)
        return msgspec.convert(answer.json()["messages"], list[Message])

    def lines(self) -> list[Line]:
        """Return our numbers."""
        return msgspec.convert(self._get("/api/v1/lines").json()["lines"], list[Line])

    def cursor(self) -> str:
        """Return the position of now: take it before the test triggers the SMS, and give it as `after`."""
        cursor: str = self._get("/api/v1/messages", limit=1).json()["cursor"]
        return cursor

    def wait_for_message(
        self,
        *,
        line: str | None = None,
        sender: str | None = None,
        contains: str | None = None,
        after: str | None = None,
        timeout: float = 60.0,
    ) -> Message:
        """Return the oldest match behind `after` (not given: now), waiting up to `timeout` seconds for it.

        A server that is away for a while is waited for, with nothing missed. Raises NoMessage, whose text says what
        came meanwhile and why it did not match.
        """
        query = {"line": line, "sender": sender, "contains": contains}
        return decode_message(self._wait("/api/v1/messages/next", query, after, timeout).content)

    def wait_for_code(
        self,
        *,
        line: str | None = None,
        sender: str | None = None,
        contains: str | None = None,
        after: str | None = None,
        timeout: float = 60.0,
    ) -> str:
        """Return the code in the oldest match that holds one; else like `wait_for_message`."""
        query = {"line": line, "sender": sender, "contains": contains}
        return self._wait("/api/v1/code", query, after, timeout).text

    def _wait(self, path: str, query: dict[str, str | None], after: str | None, timeout: float) -> httpx2.Response:
        start = time.monotonic()
        is_now = after is None
        deadline = start + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                if after is None:  # now means the start of this wait, also when it takes several requests
                    after = self.cursor()
                    is_now = False
                return self._get(path, **query, after=after, timeout=round(min(left, POLL_SECONDS), 3))
            except NoMessage as error:
                # Asking again with the same cursor costs the server one look, and the last answer knows all that came.
                if time.monotonic() >= deadline:
                    reason = error.details.get("reason", error)
                    raise NoMessage(f"No message matched in {timeout:g} s: {reason}.", **error.details) from None
            except (CannotReach, ShuttingDown, StoreUnavailable):
                if time.monotonic() >= deadline:
                    raise
                time.sleep(PAUSE_SECONDS)
                if is_now:  # no cursor could be had when the wait began: what came since counts all the same
                    after = f"{(time.monotonic() - start) * 1000:.0f}ms"

    def _get(self, path: str, **params: Any) -> httpx2.Response:
        given = {name: value for name, value in params.items() if value is not None}
        patience = float(params.get("timeout") or 0) + SLACK_SECONDS
        try:
            response = self._http.get(path, params=given, timeout=patience)
        except httpx2.TransportError as error:
            raise CannotReach(
                f"The server at {self.url} does not answer ({error or type(error).__name__}). Does it run, and is that"
                " its address?"
            ) from error
        if response.is_success:
            return response
        raise _error_of(response)


def _error_of(response: httpx2.Response) -> SmscatchError:
    """Return the error that the server named by its stable code."""
    try:
        body = response.json()
        code, message = body.pop("error"), body.pop("message")
    except (ValueError, KeyError, TypeError, AttributeError):
        if response.status_code in PASSING_STATUS:
            return CannotReach(f"What stands in front of {response.url} answered {response.status_code}.")
        return SmscatchError(f"{response.url} answered {response.status_code}: is that a smscatch server?")
    kind = _errors_by_code(SmscatchError).get(code, SmscatchError)
    return kind(message, **body)


def _errors_by_code(root: type[SmscatchError]) -> dict[str, type[SmscatchError]]:
    found = {root.code: root}
    for kind in root.__subclasses__():
        found |= _errors_by_code(kind)
    return found
