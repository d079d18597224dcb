"""A stream of events that outlives its connections: where it stands, and what may break it. No I/O here."""

import httpx2
import msgspec

from smscatch.client.calls import Filters
from smscatch.client.exchange import PASSING, no_server
from smscatch.errors import SmscatchError
from smscatch.messages import Message, decode_message

EVENTS = "/api/v1/events"
SILENCE_SECONDS = 40.0  # the server says every 15 s that it is still there


class Following:
    """Remembers the last event, so that the next connection goes on behind it."""

    def __init__(self, after: str, filters: Filters) -> None:
        self._after = after
        self._filters = filters

    def params(self) -> dict[str, str]:
        """Return the parameters of the next connection."""
        given = {**self._filters, "after": self._after}
        return {name: str(value) for name, value in given.items() if value is not None}

    def take(self, event: httpx2.ServerSentEvent) -> Message | None:
        """Return the message in an event, and go on behind it; None if it holds none, as what sets the retry time."""
        if not event.data:
            return None
        try:
            message = decode_message(event.data.encode())
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise no_server(f"An event is not in our form ({error})") from error
        self._after = message.cursor
        return message

    def survive(self, error: httpx2.TransportError | SmscatchError) -> None:
        """Raise the error if connecting again would not help."""
        if isinstance(error, httpx2.SSEError):
            raise no_server(f"{EVENTS} answered no stream of events ({error})") from error
        if isinstance(error, SmscatchError) and not isinstance(error, PASSING):
            raise error
