"""What all inbound webhooks share: a text from a handset, how it is written, and the words that end or resume texts."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from smscatch.sources.caught import Callback

REPLY_NAME = "reply"  # of a request that brings a reply


class Inbound(NamedTuple):
    """A text from the number `line` to the number `to` of an application, on its way there.

    `id` has 32 hexadecimal digits. `account` and `service` are what the application calls its account and its messaging
    service or profile; "" if it was not told. All numbers are in E.164.
    """

    id: str
    line: str
    to: str
    text: str
    at: datetime
    account: str = ""
    service: str = ""


class Keywords(NamedTuple):
    """The words, in lower case, with which a handset ends texts (opt-out) and resumes them (opt-in)."""

    stop: frozenset[str] = frozenset()
    start: frozenset[str] = frozenset()

    def wanted(self, text: str) -> bool | None:
        """Return whether texts are wanted after this one; None if it says nothing about that.

        The word stands alone: "STOP PLEASE" says nothing.
        """
        word = " ".join(text.casefold().split())
        return True if word in self.start else False if word in self.stop else None


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """Return an address with these fields in its query, behind those that it has."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"


class InboundForm(NamedTuple):
    """How a provider tells of a text: `write` returns the request to an address, signed with a secret.

    `find_public_key` returns what an application checks it with, given the secret, where that is another.
    """

    write: Callable[[str, Inbound, str], Callback]
    keywords: Keywords = Keywords()
    find_public_key: Callable[[str], str] | None = None
