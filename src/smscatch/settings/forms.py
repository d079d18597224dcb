"""The forms of flat settings: from a text to its value. Each raises ValueError for what is not of its form."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from smscatch.numbers import is_country
from smscatch.times import parse_age

STORES = ("sqlite", "postgresql", "postgres", "mongodb", "mongodb+srv")
STORE_FORM = "sqlite:///PATH, postgresql://USER:PASSWORD@HOST/DATABASE, mongodb://… or mongodb+srv://…"
KEY_FORM = "at least 16 printable ASCII characters without blanks"
MAX_SPAN = timedelta(days=36_500)
MIN_KEPT = 100  # of messages: with fewer, one might go before its test has it
_UNITS = {"MB": 1_000_000, "GB": 1_000_000_000}
MIN_SIZE = 10 * _UNITS["MB"]

CODES_FORM = "NUMBER=CODE with commas between them: +12015550123=123456, +447700900xxx=000000, *0001=000001"
_FIXED_CODE = re.compile(r"(\+[1-9][0-9x]{5,14}|\*[0-9]{2,14})\s*=\s*([A-Za-z0-9]{4,10})")


class FixedCode(NamedTuple):
    """The code of all verifications of some numbers. `pattern` is one, where an x is any digit, or * and an ending."""

    pattern: str
    code: str

    def fits(self, number: str) -> bool:
        """Return whether a number in E.164 is one of these."""
        if self.pattern.startswith("*"):
            return number.endswith(self.pattern[1:])
        return re.fullmatch(re.escape(self.pattern).replace("x", "[0-9]"), number) is not None


def parse_codes(text: str) -> tuple[FixedCode, ...]:
    """Return the fixed codes: of CODES_FORM. The first that fits a number is its code."""
    found = [(each, _FIXED_CODE.fullmatch(each.strip())) for each in text.split(",") if each.strip()]
    if any(match is None for _, match in found):
        raise ValueError(text)
    return tuple(FixedCode(*match.groups()) for _, match in found if match)


def show_codes(codes: Sequence[FixedCode]) -> str:
    """Return codes as `parse_codes` takes them."""
    return ", ".join(f"{each.pattern}={each.code}" for each in codes)


def parse_port(text: str) -> int:
    """Return the number of a port, 0 for any free one."""
    if not (text.isascii() and text.isdecimal() and int(text) <= 65535):
        raise ValueError(text)
    return int(text)


def parse_kept(text: str) -> int:
    """Return how many messages are kept."""
    if not (text.isascii() and text.isdecimal() and int(text) >= MIN_KEPT):
        raise ValueError(text)
    return int(text)


def parse_size(text: str) -> int:
    """Return a size in bytes, MIN_SIZE or more; a MB has a million."""
    found = re.fullmatch(r"([0-9]{1,6}) ?(MB|GB)", text.strip(), re.IGNORECASE)
    if found is None or (size := int(found[1]) * _UNITS[found[2].upper()]) < MIN_SIZE:
        raise ValueError(text)
    return size


def show_size(size: int) -> str:
    """Return a size as `parse_size` takes it."""
    return f"{size // _UNITS['MB']}MB"


def parse_path(text: str) -> Path:
    """Return the path of a folder or a file; `~` is the user's."""
    if not text.strip():
        raise ValueError(text)
    return Path(text).expanduser()


def parse_span(text: str) -> timedelta:
    """Return a time that is longer than nothing."""
    age = parse_age(text)
    if not age or age > MAX_SPAN:
        raise ValueError(text)
    return age


def parse_rest(text: str) -> timedelta:
    """Return a time that may be nothing."""
    return timedelta(0) if parse_age(text) == timedelta(0) else parse_span(text)


def parse_store(text: str) -> str:
    """Return a store's URL: of STORE_FORM."""
    scheme, _, rest = text.partition("://")
    if scheme == "sqlite" and (not rest.startswith("/") or rest in ("/", "/:memory:")):
        raise ValueError(text)
    if scheme not in STORES or not rest:
        raise ValueError(text)
    return text


def parse_postgres(text: str) -> str:
    """Return the URL of a PostgreSQL database."""
    scheme, _, rest = text.partition("://")
    if scheme not in ("postgresql", "postgres") or not rest:
        raise ValueError(text)
    return text


def parse_country(text: str) -> str:
    """Return a country's two capital letters (ISO 3166-1)."""
    country = text.strip().upper()
    if not (len(country) == 2 and country.isascii() and country.isalpha() and is_country(country)):
        raise ValueError(text)
    return country


def parse_server(text: str) -> str:
    """Return the URL of a server, without a slash at its end."""
    text = text.strip()
    if not text.startswith(("http://", "https://")) or not urlsplit(text).hostname:
        raise ValueError(text)
    return text.rstrip("/")


def parse_key(text: str) -> str:
    """Return an API key: of KEY_FORM."""
    text = text.strip()  # what a key is read from ends in a line feed, often
    if len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(text)
    return text


def parse_http(url: str) -> str:
    """Return the URL of a page of anybody's: http or https, with a host."""
    parts = urlsplit(url)  # ValueError for a port that is none, a bracket too few
    is_whole = bool(parts.hostname) and parts.port != 0 and parts.scheme in ("http", "https")
    if not is_whole or not url.isprintable() or " " in url:
        raise ValueError(url)
    return url


def parse_truth(text: str) -> bool:
    """Return what `true` and `false` stand for, as TOML has them."""
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def parse_labels(text: str) -> tuple[str, ...]:
    """Return the labels between commas, without blanks around them; there may be none."""
    return tuple(dict.fromkeys(label.strip() for label in text.split(",") if label.strip()))


def parse_system_id(text: str) -> str:
    """Return a system_id of SMPP: up to 15 characters (SMPP v3.4, 5.2.1)."""
    return _parse_word(text, 1, 15)


def parse_smpp_password(text: str) -> str:
    """Return a password of SMPP: up to 8 characters (SMPP v3.4, 5.2.2), and not so few that it is soon guessed."""
    return _parse_word(text.strip(), 6, 8)


def _parse_word(text: str, least: int, most: int) -> str:
    if not (least <= len(text) <= most and text.isascii() and text.isprintable() and " " not in text):
        raise ValueError(text)
    return text


def parse_count(text: str) -> int:
    """Return a number from 0 on."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ValueError(text)
    return int(text)
