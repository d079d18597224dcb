"""What answers at a port but is no modem that listens to AT, told by the octets that came from it."""

import re

_NMEA = re.compile(rb"\$(?:G[PNLAB]|BD|QZ|P)[A-Z]{2,5},")
_LOGIN = re.compile(rb"log ?in:|pass(?:word|wort)|username|(?:^|[\r\n])[^\r\n]{0,60}[$#>] *$", re.IGNORECASE)
# HDLC flags with PPP's address and control between them, plain or escaped (RFC 1662, 3.1 and 4.2).
_PPP = re.compile(rb"~(?:\xff\x03|\xff\}#|\}\xdf|[^\r\n~]{4,}~)", re.DOTALL)
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\r\n\t"
_MOSTLY = 0.7


def may_be_speed(heard: bytes) -> bool:
    """Return whether what was heard may come from a modem at another speed: nothing, or nothing of sense."""
    return not heard.strip(b"\0\r\n") or (not _NMEA.search(heard) and not _PPP.search(heard) and _is_noise(heard))


def _is_noise(heard: bytes) -> bool:
    return len(heard.translate(None, _PRINTABLE)) > (1 - _MOSTLY) * len(heard)


def describe(heard: bytes, typed: set[str]) -> str | None:
    """Return in a sentence what speaks like this; None if nothing did. `typed` are the commands that were sent.

    No speed is named, as only the two ends know it.
    """
    if not heard.strip(b"\0\r\n"):
        return None
    if _NMEA.search(heard):
        return "It sends positions (NMEA): this is the GPS port. Take another port of the same modem."
    if _PPP.search(heard):
        return (
            "It is in a data connection (PPP): another program dialled in on this port. End that (often NetworkManager"
            " or pppd), or take another port of the same modem."
        )
    if _is_noise(heard):
        return "What comes makes no sense: the modem speaks at another speed, or this is no AT port. Set `baud`."
    if _LOGIN.search(heard):
        return "It asks for a login: this is the console of a computer or router, no modem. Take another port."
    if set(heard.decode("latin-1").replace("\x1b", "").split()) <= typed:
        return "It only sends back what it is told: this is no AT port. Take another port of the same modem."
    return "It answers, but not to AT: this is no AT port. Take another port of the same modem."
