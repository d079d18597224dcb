"""Which of several matches a wait returns, over the several requests that it may take. No I/O here."""

from collections.abc import Mapping
from typing import Any

from smscatch.client.validation import check_newest
from smscatch.messages import QUIET_SECONDS, Message

CHOICE = ("newest", "quiet")  # what of a wait's filters is ours


class Choosing:
    """The oldest match, or the newest once it is quiet; the server decides, as far as one request goes."""

    def __init__(self, filters: Mapping[str, Any]) -> None:
        newest, quiet = filters.get("newest", False), filters.get("quiet")
        check_newest(newest, quiet)
        self._is_newest = newest
        self.quiet = (QUIET_SECONDS if quiet is None else quiet) if newest else 0.0
        self._quiet_up_to: int | None = None

    def params(self) -> dict[str, Any]:
        """Return what the next request asks for. What is older than a text that was not wanted was quiet then."""
        if not self._is_newest:
            return {}
        return {"newest": True, "quiet": self.quiet if self._quiet_up_to is None else 0}

    def is_chosen(self, message: Message, asked_seconds: float, took_seconds: float) -> bool:
        """Return whether an answer is the one, if it is wanted; else another request has to ask again.

        A request whose time was over may have been answered with the newest so far, and one that asked without quiet
        with what came a moment ago.
        """
        if not self._is_newest:
            return True
        if self._quiet_up_to is None:
            is_quiet = took_seconds < asked_seconds
        else:
            is_quiet = int(message.cursor) < self._quiet_up_to
        self._quiet_up_to = int(message.cursor) if is_quiet else None
        return is_quiet
