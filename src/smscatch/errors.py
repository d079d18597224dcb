"""Every error that smscatch raises: a sentence, a stable code and an HTTP status.

No handling here: each edge (HTTP, command line, client) turns these into its own form.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing would take as long to load as all else that `import smscatch` loads
if TYPE_CHECKING:
    from typing import Any, ClassVar


def escape_controls(text: str) -> str:
    """Return a text with what cannot be printed, line ends too, as the escapes of Python: \\x1b, \\n, \\u202e."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


class SmscatchError(Exception):
    """The root of all our errors.

    `str(error)` is a whole sentence in one printable line: what happened, to what, what to do. `details` are JSON
    values for programs.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(escape_controls(message))  # names from outside stand in it
        self.details = details


class BadRequest(SmscatchError):
    """A parameter or a body is not what the call takes."""

    status, code = 400, "bad_request"


class BadCursor(BadRequest):
    """`after` or `before` is neither a cursor, a time nor an age."""

    code = "bad_cursor"


class LostCursor(BadCursor):
    """The cursor is of another database: nothing will ever come behind it."""


class BadTimeout(BadRequest):
    """A timeout is no number or out of range."""

    code = "bad_timeout"


class Unauthorized(SmscatchError):
    """No key, or one that is unknown, revoked or expired."""

    status, code = 401, "unauthorized"


class TooManyTries(SmscatchError):
    """Too many wrong keys come from this address; trying again later is right."""

    status, code = 429, "too_many_tries"


class Forbidden(SmscatchError):
    """The key is good, but lacks the scope or the line."""

    status, code = 403, "forbidden"


class BadSignature(SmscatchError):
    """A delivery is not signed as its source signs; the sentence says which part differs, for administrators alone."""

    status, code = 403, "bad_signature"


class WrongMethod(SmscatchError):
    """The path is not for this method; `allow` in `details` says for which it is."""

    status, code = 405, "method_not_allowed"


class NotFound(SmscatchError):
    """There is no such message, key or page."""

    status, code = 404, "not_found"


class UnknownLine(NotFound):
    """No line has this number."""

    code = "unknown_line"


class NoMessage(NotFound):
    """A wait ended and nothing had matched; the sentence explains why.

    `details` has the `reason` as half a sentence, the `cursor` that leads on, and `near_misses`: what came, and why
    each did not match.
    """

    code = "no_message"

    @classmethod
    def within(cls, timeout_seconds: float, reason: str, **details: Any) -> NoMessage:
        """Return the error of a wait that took so long."""
        return cls(f"No message matched in {timeout_seconds:g} s: {reason}.", reason=reason, **details)


class NotCaught(NotFound):
    """For clients: no text of the application came through us. It may have gone to the provider."""

    code = "not_caught"


class NoApplication(SmscatchError):
    """Nobody would hear of a reply: where the application takes webhooks is not known, or by SMPP it is not bound."""

    status, code = 409, "no_application"


class UnknownLease(NotFound):
    """There is no such lease, or it ended long ago."""

    code = "unknown_lease"


class SourceExists(SmscatchError):
    """A source of this name is there already."""

    status, code = 409, "source_exists"


class NoFreeLine(SmscatchError):
    """All lines that would do are leased or rest, or too many of them for a group.

    `details` has the `reason`, the `holders`, how many wait `ahead`, and the `count` of a group.
    """

    status, code = 409, "no_free_line"

    @classmethod
    def within(cls, wait_seconds: float, reason: str, count: int | None = None, **details: Any) -> NoFreeLine:
        """Return the error of who waited so long for a line, or for a group of `count`."""
        is_many = count is not None and count > 1
        what = f"No {count} lines that would do" if is_many else "No line that would do"
        waited = f"became free in {wait_seconds:g} s" if wait_seconds else f"{'are' if is_many else 'is'} free"
        advice = "Wait longer (wait_seconds), or add lines."
        if count is not None:
            details["count"] = count
        return cls(f"{what} {waited}: {reason}. {advice}", reason=reason, **details)


class LeaseEnded(SmscatchError):
    """The lease was released or has expired: nothing comes for it any more."""

    status, code = 410, "lease_ended"


class BadDelivery(SmscatchError):
    """A delivery is not in the form of its source."""

    status, code = 422, "bad_delivery"


class BadPdu(BadDelivery):
    """Octets that are no SMS PDU; the sentence names the octet."""

    code = "bad_pdu"


class BadSend(SmscatchError):
    """What an application sends lacks a field, or has one that no provider takes; `details` names the `field`.

    The field is to, sender, text, callback, or one that only one provider has; `details` says too whether it
    `is_missing`.
    """

    status, code = 400, "bad_send"

    @property
    def reason(self) -> tuple[str, bool]:
        """Which field it is, and whether it is missing: what a provider's own error depends on."""
        return self.details["field"], self.details["is_missing"]

    @classmethod
    def missing(cls, field: str) -> BadSend:
        """Return the error for a field that is not there, or is empty."""
        return cls(f"The field {field} is missing.", field=field, is_missing=True)

    @classmethod
    def wrong(cls, field: str, value: str, why: str) -> BadSend:
        """Return the error for a field with a value that is not taken."""
        return cls(f"{field} = {value[:40]!r} is not accepted: {why}.", field=field, value=value[:40], is_missing=False)


class TooManyChecks(SmscatchError):
    """The code of a verification was guessed wrong too often; `details` has the `id` of the verification."""

    status, code = 429, "too_many_checks"


class TooManySends(SmscatchError):
    """The code of a verification was sent as often as may be; `details` has the `id` of the verification."""

    status, code = 429, "too_many_sends"


class OptedOut(SmscatchError):
    """The recipient replied that no texts are wanted from this sender (opt-out)."""

    status, code = 409, "opted_out"


class StoreUnavailable(SmscatchError):
    """The database cannot be reached or written; nothing was kept. Trying again later is right."""

    status, code = 503, "store_unavailable"


class ReceptionTrouble(SmscatchError):
    """A modem or a carrier brings no texts at present; trying again later is right. `state` names its state then."""

    status = 503
    state: ClassVar[str] = "starting"


class NoModem(SmscatchError):
    """No modem of any line works, and nothing else brings texts; the sentence says how each is."""

    status, code = 503, "no_modem"


class ShuttingDown(SmscatchError):
    """The server is stopping and ends its waits; asking again finds the next one."""

    status, code = 503, "shutting_down"


class BadSetting(SmscatchError):
    """A setting has a value that it does not take; the sentence names key, value and accepted form."""

    code = "bad_setting"


class CannotStart(SmscatchError):
    """The server or the demo cannot start: a port is taken, a folder is read-only, a program is missing."""

    code = "cannot_start"


class CannotReach(SmscatchError):
    """For clients: the server does not answer."""

    code = "cannot_reach"
