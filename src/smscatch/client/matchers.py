"""What a wait is for: any text, a code or a link; and why a message is not it. No I/O here."""

import re
from collections.abc import Callable

import msgspec

from smscatch.errors import BadRequest
from smscatch.messages import Message


class Match(msgspec.Struct):
    """What a wait found, in which message."""

    value: str
    message: Message


# Returns what is wanted of a message, or raises Unwanted with the reason.
Want = Callable[[Message], str]


class Unwanted(Exception):
    """A message is not what a wait is for; the text says why."""


def the_text(message: Message) -> str:
    """Want any message."""
    return message.text


def a_code(pattern: str | None) -> Want:
    """Want a code: the one that the server found, or what `pattern` finds, the first of its groups that matched.

    Raises BadRequest for a pattern that is none.
    """
    compiled = _compile("code_pattern", pattern)

    def want(message: Message) -> str:
        found = message.code if compiled is None else _first(compiled, message.text)
        if found is None:
            reason = "no code was found in" if pattern is None else f"the pattern {pattern!r} does not match"
            lack = "" if message.complete else ", of which parts are missing"
            raise Unwanted(f"{reason} the text from {message.sender!r}{lack}")
        return found

    return want


def a_link(pattern: str | None) -> Want:
    """Want a link: the first, or the first that `pattern` matches somewhere. Raises BadRequest for one that is none."""
    compiled = _compile("link_pattern", pattern)

    def want(message: Message) -> str:
        for link in message.links:
            if compiled is None or compiled.search(link):
                return link
        like = "" if pattern is None else f" like {pattern!r}"
        raise Unwanted(f"there is no link{like} in the text from {message.sender!r}")

    return want


def _compile(name: str, pattern: str | None) -> re.Pattern[str] | None:
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise BadRequest(f"{name} = {pattern!r} is no regular expression: {error}.") from error


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    if not found or not found[0]:
        return None
    if not pattern.groups:
        return found[0]
    return next((group for group in found.groups() if group is not None), None)
