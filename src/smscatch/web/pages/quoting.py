"""Texts as literals of the languages that snippets are in: what others chose ends no string there, and runs nothing."""

import json
import shlex


def quote_shell(text: str) -> str:
    """Return one word of a shell; with control characters as bash, zsh and POSIX 2024 write them (2.2.4)."""
    if text.isprintable():
        return shlex.quote(text)
    octets = text.encode(errors="surrogateescape")
    return "$'" + "".join(chr(octet) if _is_plain(octet) else f"\\x{octet:02x}" for octet in octets) + "'"


def _is_plain(octet: int) -> bool:
    return 0x20 <= octet < 0x7F and chr(octet) not in "'\\"


def quote_python(text: str) -> str:
    """Return a string literal of Python."""
    # JSON's escapes mean the same in Python.
    return "".join(
        character if character.isprintable() else f"\\U{ord(character):08x}"
        for character in json.dumps(text, ensure_ascii=False)
    )


def quote_javascript(text: str) -> str:
    """Return a string literal of JavaScript (ECMA-262, 12.9.4)."""
    return "".join(
        character if character.isprintable() else f"\\u{{{ord(character):x}}}"
        for character in json.dumps(text, ensure_ascii=False)
    )
