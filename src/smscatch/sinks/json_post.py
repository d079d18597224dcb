"""The kind `json`: each message's JSON, as the API shows it, in a POST."""

from smscatch.messages import Stored
from smscatch.settings import SinkSettings
from smscatch.sinks.base import Result, Send
from smscatch.sinks.posting import make_target, post

HEADERS = {"content-type": "application/json"}


def make_send(settings: SinkSettings) -> Send:
    """Return what posts a message to the URL that is set."""
    target = make_target(settings.url, allows_private=settings.allow_private)

    async def send(stored: Stored) -> Result:
        return await post(target, stored.json, HEADERS)

    return send
