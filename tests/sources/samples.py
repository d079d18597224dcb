"""What a file of samples in tests/data/ holds: deliveries in the form of a sender, and how that one signs them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from smscatch.sources.webhook import FORM


class Post(NamedTuple):
    """A delivery as it is sent; the content of a GET is its query."""

    content: bytes
    content_type: str = FORM
    method: str = "POST"


class Signed(NamedTuple):
    """What a sender adds to a delivery: the query of the address, and headers."""

    query: str
    headers: dict[str, str]


class Samples(NamedTuple):
    """`texts` are one text in each of the sender's forms, read as `sent` says; `other` is another text.

    `malformed` is a text that lacks what it needs; `events` tell of something else. `several` holds two texts, if one
    delivery may. What was signed longer than `max_age` ago is stale, if the sender signs a time. `sign` takes a
    delivery, a secret, the address that is called and the time: by the sender's own software, if there is any.
    `make` makes a text of a sender, a content, the service's id of it, and, where that sends parts, number and total.
    `configured` turns that secret into what stands in the settings; `tables` are what else the source's table needs.
    """

    texts: tuple[Post, ...]
    sent: dict[str, object]
    other: Post
    malformed: Post
    events: tuple[Post, ...]
    sign: Callable[[Post, str, str, datetime], Signed]
    make: Callable[..., Post]
    several: Post | None = None
    max_age: timedelta | None = None
    configured: Callable[[str], str] = str
    tables: Mapping[str, str] = MappingProxyType({})
