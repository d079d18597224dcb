"""Messages as the pages show them: a row with its line, its text cut at the links, and what is peculiar about it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request

from smscatch.messages import Lease, Line, Message, Stored
from smscatch.web.endpoint import context_of, texts_of
from smscatch.web.texts import Texts

HUES = 6
# A longer text is cut in the list: behind its first lines, of which there are fewer than these.
LONG_CHARACTERS, LONG_LINES = 320, 6


class LineTag(NamedTuple):
    """How a line is shown: its number, its label or "", and which of the HUES colours its dot."""

    number: str
    label: str
    hue: int

    @property
    def name(self) -> str:
        """What people call it."""
        return self.label or self.number


class Piece(NamedTuple):
    """A stretch of a text, and where it links to, if it does."""

    text: str
    href: str | None = None


class Badge(NamedTuple):
    """Something peculiar about a message, in a word or two, and in a sentence."""

    name: str
    meaning: str


class Row(NamedTuple):
    """A message as a page shows it. `lease` is the one it belongs to, if that is known still."""

    message: Message
    line: LineTag
    pieces: list[Piece]
    badges: list[Badge]
    lease: Lease | None

    @property
    def is_long(self) -> bool:
        """Whether the list shows only its beginning at first."""
        text = self.message.text
        return len(text) > LONG_CHARACTERS or text.count("\n") >= LONG_LINES


def tags_of(lines: Sequence[Line]) -> dict[str, LineTag]:
    """Return how each line is shown, by number."""
    return {line.number: LineTag(line.number, line.label, index % HUES) for index, line in enumerate(lines)}


async def rows_of(request: Request, messages: Sequence[Stored], tags: Mapping[str, LineTag]) -> list[Row]:
    """Return messages as rows, in their order."""
    ids = {stored.message.lease for stored in messages if stored.message.lease}
    leases = await context_of(request).house.leases.by_id(ids)
    texts = texts_of(request)
    return [_row(stored.message, tags, leases.get(stored.message.lease or ""), texts) for stored in messages]


def _row(message: Message, tags: Mapping[str, LineTag], lease: Lease | None, texts: Texts) -> Row:
    line = tags.get(message.line) or LineTag(message.line, "", 0)
    return Row(message, line, list(cut_at_links(message)), list(_badges(message, lease, texts)), lease)


def _badges(message: Message, lease: Lease | None, texts: Texts) -> Iterator[Badge]:
    def badge(name: str, **values: object) -> Badge:
        return Badge(texts(f"badge.{name}", **values), texts(f"badge.{name}_hint"))

    if lease is not None:
        yield badge("leased", holder=lease.holder or texts("badge.somebody"))
    if not message.complete:
        yield badge("incomplete")
    elif message.revision:
        yield badge("revised")
    for mark in message.marks:
        yield badge(mark) if texts.has(f"badge.{mark}") else Badge(mark.replace("_", " "), "")
    if message.parts > 1:
        yield badge("parts", count=message.parts)


def cut_at_links(message: Message) -> Iterator[Piece]:
    """Cut the text at its links. Only what was found to be a link becomes one, and only with http or https."""
    start = 0
    for link in message.links:
        found = message.text.find(link, start)
        if found < 0:
            continue
        yield Piece(message.text[start:found])
        yield Piece(link, address_of(link))
        start = found + len(link)
    yield Piece(message.text[start:])


def address_of(link: str) -> str:
    """Return where a link leads: one that is printed bare is https."""
    return link if link.lower().startswith(("http://", "https://")) else f"https://{link}"
