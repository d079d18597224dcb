"""Verifications: a code that an application has sent to a number by a provider, and has checked by it. No text here.

Each is one memo in the store, and every change of it is a compare and set: of two instances that count a wrong code, or
approve the right one, one is first, and the other looks again. What providers call things is not known here.
"""

import secrets
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from smscatch.errors import NotFound, TooManyChecks, TooManySends
from smscatch.inbox import Inbox
from smscatch.settings import Settings
from smscatch.stores import Memo
from smscatch.times import Time

PENDING, APPROVED, CANCELED, EXHAUSTED = "pending", "approved", "canceled", "exhausted"


class Terms(NamedTuple):
    """What a provider grants: how long a code is good, how often it may be sent and checked, how long it is."""

    lasts: timedelta
    most_sends: int
    most_checks: int
    digits: int


class CodeRequest(NamedTuple):
    """What an application asks for: a code for `to`, in E.164; its own `code`, if it has one; what answers repeat.

    Two with the same `scope` and number are the same verification, sent again.
    """

    scope: str
    to: str
    code: str = ""
    facts: Mapping[str, Any] = {}


class Which(NamedTuple):
    """A verification by its `id`, or, without one, the last of a number; in a `scope`."""

    scope: str
    id: str = ""
    to: str = ""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What an application set down once for its verifications: the `name` in their texts, the digits of a code."""

    id: str
    name: str
    digits: int
    created_at: Time
    change: str = ""


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """One of the times that a code was sent: a random id, and when."""

    id: str
    at: Time


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """A code on its way to a number. `status` is PENDING until it is APPROVED, CANCELED, or EXHAUSTED by wrong codes.

    `id` is 32 hexadecimal digits. `change` is another one after each change, so that two never leave the same behind.
    """

    id: str
    scope: str
    to: str
    code: str
    status: str
    created_at: Time
    updated_at: Time
    sendings: tuple[Sending, ...]
    checks: int = 0
    facts: dict[str, Any] = {}
    change: str = ""


# Returns what becomes of a verification, None if there is none, at a time. Raises what the caller is to be told.
Decide = Callable[[Verification | None, datetime], Verification]


class Verifications:
    """Those that one key, `owner`, has through one provider."""

    def __init__(self, inbox: Inbox, settings: Settings, owner: str, provider: str) -> None:
        self._inbox = inbox
        self._settings = settings
        self._whose = f"{provider} {owner}"

    async def start(self, wanted: CodeRequest, terms: Terms) -> Verification:
        """Return a new verification, or the one that is pending with one sending more, and the same code.

        The text is to be sent when this has returned, never before: no code may be sent that is not kept. Raises
        TooManySends, with the `id` of the one that is pending.
        """

        def decide(found: Verification | None, now: datetime) -> Verification:
            if found is None or found.status != PENDING:
                return self._new(wanted, terms, now)
            return _sent_again(found, now, terms.most_sends, code=wanted.code)

        started = await self._change(self._name(wanted.scope, wanted.to), decide, terms.lasts)
        await self._point_at(started, terms.lasts)
        return started

    def _new(self, wanted: CodeRequest, terms: Terms, now: datetime) -> Verification:
        fixed = next((each.code for each in self._settings.virtual_codes if each.fits(wanted.to)), "")
        return Verification(
            id=uuid.uuid4().hex,  # as Vonage shows it
            scope=wanted.scope,
            to=wanted.to,
            code=wanted.code or fixed or _random_code(terms.digits),
            status=PENDING,
            created_at=now,
            updated_at=now,
            sendings=(Sending(id=secrets.token_hex(16), at=now),),
            facts=dict(wanted.facts),
        )

    async def send_again(self, which: Which, most_sends: int) -> Verification:
        """Return a pending verification with one sending more. Raises NotFound, TooManySends."""
        return await self._change(
            await self._name_of(which), lambda found, now: _sent_again(_pending(found, which), now, most_sends)
        )

    async def find(self, which: Which) -> Verification:
        """Return a verification that is not over. Raises NotFound; also for an APPROVED one, which is spent."""
        memo = await self._inbox.store.memo(await self._name_of(which), await self._inbox.time())
        found = _own(None if memo is None else _decode(memo), which)
        if found.status == APPROVED:
            raise _unknown()
        return found

    async def check(self, which: Which, code: str, most_checks: int) -> Verification:
        """Return a verification after a check: APPROVED by the right code, else with one wrong code more.

        Raises NotFound, and TooManyChecks if it is EXHAUSTED already.
        """
        return await self._change(
            await self._name_of(which), lambda found, now: _checked(_own(found, which), code, most_checks, now)
        )

    async def settle(self, which: Which, status: str) -> Verification:
        """Return a pending verification after it was CANCELED or APPROVED by the application. Raises NotFound."""

        def decide(found: Verification | None, now: datetime) -> Verification:
            return msgspec.structs.replace(_pending(found, which), status=status, updated_at=now)

        return await self._change(await self._name_of(which), decide)

    async def put_service(self, service_id: str, name: str, digits: int) -> Service:
        """Return a service, which is kept as long as messages are; one with its id is replaced."""
        memo_name = f"service {self._whose} {service_id}"
        while True:
            now = await self._inbox.time()
            memo = await self._inbox.store.memo(memo_name, now)
            created_at = now if memo is None else msgspec.json.decode(memo.content, type=Service).created_at
            service = Service(
                id=service_id, name=name, digits=digits, created_at=created_at, change=secrets.token_hex(8)
            )
            after = Memo(msgspec.json.encode(service), now + self._settings.retention)
            if await self._inbox.store.change_memo(memo_name, memo, after, now):
                return service

    async def find_service(self, service_id: str) -> Service | None:
        """Return a service that was put."""
        memo = await self._inbox.store.memo(f"service {self._whose} {service_id}", await self._inbox.time())
        return None if memo is None else msgspec.json.decode(memo.content, type=Service)

    async def _change(self, name: str, decide: Decide, lasts: timedelta = timedelta(0)) -> Verification:
        """Keep what `decide` makes of what is kept under a name; decide anew if somebody else was first.

        A new one is kept for as long as it `lasts`.
        """
        while True:
            now = await self._inbox.time()
            memo = await self._inbox.store.memo(name, now)
            before = None if memo is None else _decode(memo)
            after = msgspec.structs.replace(decide(before, now), change=secrets.token_hex(8))
            is_same = before is not None and after.id == before.id
            until = memo.until if memo is not None and is_same else now + lasts
            if await self._inbox.store.change_memo(name, memo, Memo(msgspec.json.encode(after), until), now):
                return after

    def _name(self, scope: str, to: str) -> str:
        return f"verification {self._whose} {scope} {to}"

    def _pointer(self, verification_id: str) -> str:
        return f"pointer {self._whose} {verification_id}"

    async def _point_at(self, started: Verification, lasts: timedelta) -> None:
        """Have the id of a verification lead to its name; a no-op if it does already."""
        now = await self._inbox.time()
        memo = Memo(self._name(started.scope, started.to).encode(), now + lasts)
        await self._inbox.store.change_memo(self._pointer(started.id), None, memo, now)

    async def _name_of(self, which: Which) -> str:
        if not which.id:
            return self._name(which.scope, which.to)
        memo = await self._inbox.store.memo(self._pointer(which.id), await self._inbox.time())
        if memo is None:
            raise _unknown()
        return memo.content.decode()


def _decode(memo: Memo) -> Verification:
    return msgspec.json.decode(memo.content, type=Verification)


def _random_code(digits: int) -> str:
    return f"{secrets.randbelow(10**digits):0{digits}d}"


def _unknown() -> NotFound:
    return NotFound("There is no such verification: it was never started with this key, is over, or was approved.")


def _own(found: Verification | None, which: Which) -> Verification:
    """Return what stands under the name of a verification, if it is that one and no later one. Raises NotFound."""
    if found is None or found.scope != which.scope or which.id not in ("", found.id):
        raise _unknown()
    return found


def _pending(found: Verification | None, which: Which) -> Verification:
    own = _own(found, which)
    if own.status != PENDING:
        raise _unknown()
    return own


def _sent_again(found: Verification, now: datetime, most_sends: int, code: str = "") -> Verification:
    if len(found.sendings) >= most_sends:
        raise TooManySends(
            f"The code was sent {most_sends} times already: check it, give it up, or wait until it is over.",
            id=found.id,
        )
    sendings = (*found.sendings, Sending(id=secrets.token_hex(16), at=now))
    return msgspec.structs.replace(found, sendings=sendings, code=code or found.code, updated_at=now)


def _checked(found: Verification, code: str, most_checks: int, now: datetime) -> Verification:
    if found.status in (APPROVED, CANCELED):
        raise _unknown()
    if found.status == EXHAUSTED:
        raise TooManyChecks(f"{most_checks} wrong codes were given already: start another verification.", id=found.id)
    if secrets.compare_digest(found.code.encode(), code.encode()):
        return msgspec.structs.replace(found, status=APPROVED, updated_at=now)
    checks = found.checks + 1
    status = EXHAUSTED if checks >= most_checks else PENDING
    return msgspec.structs.replace(found, checks=checks, status=status, updated_at=now)
