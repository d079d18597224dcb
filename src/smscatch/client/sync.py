"""The client for ordinary code: each method blocks until it has its result."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Unpack, overload

import httpx2

from smscatch.client import calls, leasing, matchers
from smscatch.client.calls import Filters, WaitFilters
from smscatch.client.exchange import (
    PAUSE_SECONDS,
    Ask,
    Conversation,
    Pause,
    T,
    cannot_reach,
    check,
    is_ours,
    open_http,
    refuse_closed,
)
from smscatch.client.following import EVENTS, SILENCE_SECONDS, Following
from smscatch.client.leased import Leased, LeasedGroup, LeaseFilters
from smscatch.client.leasing import Effects, Reply
from smscatch.client.matchers import Match, Want
from smscatch.errors import SmscatchError
from smscatch.messages import TIMEOUT_SECONDS, TTL_SECONDS, WAIT_SECONDS, Lease, LeaseGroup, Line, Message
from smscatch.redirecting import SMPP, SmppTarget, send_url
from smscatch.totp import LEFT_SECONDS

__tracebackhide__ = is_ours


class Client:
    """Speaks to a smscatch server at `url` with an API key. Use it in a `with` block, or close it.

    What is not given is taken from SMSCATCH_URL and SMSCATCH_KEY, else from smscatch.toml, as on the command line.
    Every method raises Unauthorized or Forbidden for a key that may not, CannotReach if the server does not answer,
    and whatever else errors.py lists under the server's stable code; BadSetting is raised at once for a URL or a key
    that cannot be one. Threads may share a client.
    """

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        from smscatch.settings import find_server  # noqa: PLC0415 - to be imported is not to be used

        self.url, self.key = find_server(url, key)
        self._http = open_http(self.url, self.key)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def messages(self, *, limit: int = 50, **filters: Unpack[Filters]) -> list[Message]:
        """Return up to `limit` messages, newest first."""
        return self._hold(calls.messages(limit, filters))

    def send_url(self, provider: str) -> str:
        """Return the base URL with which an application's SDK sends through us, and not through its provider.

        The SDK's key is one of ours with the scope send, such as `key`. Raises BadRequest for a provider that is not
        caught. How each SDK is told is in docs/sending.md. For "smpp" the server is asked; see `smpp`.
        """
        return self.smpp().url if provider == SMPP else send_url(self.url, provider)

    def smpp(self) -> SmppTarget:
        """Return where an application binds that sends by SMPP. Raises NotFound if none is caught that does.

        With a key of an administrator it comes with a system_id and a password, if the settings have them, as those of
        a server of the test run's own do.
        """
        return self._hold(calls.smpp(self.url))

    def caught(self, line: str, *, after: str = "0", timeout: float = TIMEOUT_SECONDS) -> Message:
        """Return the first text behind `after` that an application sent to `line` and that we caught.

        It may belong to a lease. Waits up to `timeout` seconds. Raises NotCaught, which says what came instead: a text
        that did not come this way may have gone to the provider, and may have been paid for.
        """
        return self._hold(calls.caught(line, after, timeout))

    def lines(self) -> list[Line]:
        """Return our numbers."""
        return self._hold(calls.lines())

    def leases(self) -> list[Lease]:
        """Return who has which line; those that rest are among them."""
        return self._hold(calls.leases())

    def cursor(self) -> str:
        """Return the position of now: take it before the test triggers the SMS, and give it as `after`."""
        return self._hold(calls.cursor())

    def totp(self, secret: str, *, left: float = LEFT_SECONDS) -> str:
        """Return the code that an authenticator app shows now for a secret (TOTP, RFC 6238); no server is asked.

        `secret` is what the application shows: base32, or the otpauth:// address in its QR code. A code that is good
        for less than `left` seconds is not given: the next one is waited for, by this machine's clock. 0 never waits.
        """
        return self._hold(calls.totp(secret, left))

    def wait_for_message(self, *, timeout: float = TIMEOUT_SECONDS, **filters: Unpack[WaitFilters]) -> Message:
        """Return the oldest match behind `after`, waiting up to `timeout` seconds for it; for ever if that is math.inf.

        With `newest=True` it is the newest, once nothing came for `quiet` seconds, or when the time is up.

        A server that is away for a while is waited for, with nothing missed. Messages that belong to a lease are passed
        over. Raises NoMessage, whose text says what came meanwhile and why it did not match.
        """
        return self._wait(matchers.the_text, timeout, filters).message

    def wait_for_code(
        self, *, timeout: float = TIMEOUT_SECONDS, code_pattern: str | None = None, **filters: Unpack[WaitFilters]
    ) -> str:
        """Return the code in the oldest match that holds one; else like `wait_for_message`.

        `code_pattern` is a regular expression for senders with a form of their own; the first of its groups that
        matched is the code, or all of it if it has none.
        """
        return self._wait(matchers.a_code(code_pattern), timeout, filters).value

    def wait_for_link(
        self, *, timeout: float = TIMEOUT_SECONDS, link_pattern: str | None = None, **filters: Unpack[WaitFilters]
    ) -> str:
        """Return the first link, or the first that the regular expression `link_pattern` matches somewhere."""
        return self._wait(matchers.a_link(link_pattern), timeout, filters).value

    @overload
    def lease(
        self,
        line: str | None = None,
        *,
        label: str | None = None,
        holder: str | None = None,
        ttl: float = TTL_SECONDS,
        wait: float = WAIT_SECONDS,
        count: None = None,
    ) -> "LeasedLine": ...

    @overload
    def lease(
        self,
        line: str | None = None,
        *,
        label: str | None = None,
        holder: str | None = None,
        ttl: float = TTL_SECONDS,
        wait: float = WAIT_SECONDS,
        count: int,
    ) -> "LeasedLines": ...

    def lease(
        self,
        line: str | None = None,
        *,
        label: str | None = None,
        holder: str | None = None,
        ttl: float = TTL_SECONDS,
        wait: float = WAIT_SECONDS,
        count: int | None = None,
    ) -> "LeasedLine | LeasedLines":
        """Return a number that is ours alone for `ttl` seconds; use it in a `with` block, or release it.

        It is `line`, or any with the `label`, or any. Waits up to `wait` seconds until one is free, first come, first
        served. `holder` is what others see: the name of the test, say. Raises NoFreeLine, which says who has them.
        Whoever is interrupted meanwhile has left the queue, and has no line.

        With `count`, as many lines are leased at once, all or none: `with sms.lease(count=2) as (alice, bob):`. Never
        ask for a second line while you hold one: two tests that do so may wait for each other.
        """
        wanted = leasing.Wanted(line=line, label=label, holder=holder, ttl=ttl, wait=wait, count=count)
        if count is None:
            return LeasedLine(self, self._queue(leasing.lease(wanted)))
        return LeasedLines(self, self._queue(leasing.lease_group(wanted)))

    def leased(self, lease_id: str, after: str | None = None) -> "LeasedLine":
        """Return a line that was leased elsewhere with this key, by another process say. Raises UnknownLease.

        The first wait goes on behind `after`, which is a cursor; not given, at the beginning of the lease.
        """
        return LeasedLine(self, self._hold(leasing.leased(lease_id, after)), after)

    def leased_group(self, group_id: str) -> "LeasedLines":
        """Return the lines that were leased at once elsewhere with this key; by the id of a single lease, that one.

        Raises UnknownLease.
        """
        return LeasedLines(self, self._hold(leasing.leased_group(group_id)))

    def events(self, **filters: Unpack[Filters]) -> Iterator[Message]:
        """Yield every match behind `after` (now, if not given), then new ones for ever.

        Outlives dropped connections and restarts of the server, with nothing missed and nothing twice. A long message
        whose missing parts came after it was shown is yielded again, with a higher `revision`.
        """
        following = Following(self._hold(calls.start_of(filters)), filters)
        while True:
            refuse_closed(self._http)
            try:
                with self._http.stream("GET", EVENTS, params=following.params(), timeout=SILENCE_SECONDS) as response:
                    if not response.is_success:
                        response.read()
                        check(response)
                    for event in httpx2.EventSource(response):
                        message = following.take(event)
                        if message is not None:
                            yield message
            except (httpx2.TransportError, SmscatchError) as error:
                following.survive(error)
            time.sleep(PAUSE_SECONDS)

    def _wait(self, want: Want, timeout: float, filters: WaitFilters) -> Match:
        return self._hold(calls.wait("/api/v1/messages/next", want, timeout, filters))

    def _queue(self, conversation: Conversation[T]) -> T:
        """Hold a conversation that waits for a free line; the pytest plugin has its own, which stops clocks."""
        return self._hold(conversation)

    def _hold(self, conversation: Conversation[T]) -> T:
        try:
            step = next(conversation)
            while True:
                try:
                    answer = self._perform(step)
                except BaseException as error:  # an interrupt too: a conversation may have to say goodbye
                    step = conversation.throw(error)
                else:
                    step = conversation.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    def _perform(self, step: Ask | Pause) -> httpx2.Response | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        refuse_closed(self._http)
        try:
            return check(self._http.send(step.build(self._http)))
        except httpx2.RequestError as error:
            raise cannot_reach(self.url, error) from error


class LeasedLine(Leased):
    """A number that is ours alone until it is released, or its time is up. A `with` block releases it.

    Each wait returns the oldest message of the lease that matches and that no wait has returned yet: so no code is ever
    read twice, none is older than the lease, and texts of several senders may come in any order. Threads may share it.
    """

    def __init__(self, client: Client, lease: Lease, after: str | None = None) -> None:
        super().__init__(lease, after)
        self._client = client

    def __enter__(self) -> "LeasedLine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except SmscatchError:
            if error is None:  # else that one matters more; the lease ends by itself
                raise

    def wait_for_message(self, *, timeout: float = TIMEOUT_SECONDS, **filters: Unpack[LeaseFilters]) -> Message:
        """Return the next message, waiting up to `timeout` seconds for it.

        For the newer of two texts that were asked for wait `after` a `mark()` that was taken in between, or for the
        `newest`, which is returned once nothing came for `quiet` seconds, or when the time is up. What such a wait
        passed over no later one is given.

        Raises NoMessage, whose text says what came meanwhile and why it did not match, and LeaseEnded if the lease is
        over before.
        """
        return self._wait(matchers.the_text, timeout, filters).message

    def wait_for_code(
        self, *, timeout: float = TIMEOUT_SECONDS, code_pattern: str | None = None, **filters: Unpack[LeaseFilters]
    ) -> str:
        """Return the code in the next message that holds one; see `Client.wait_for_code`."""
        return self._wait(matchers.a_code(code_pattern), timeout, filters).value

    def wait_for_link(
        self, *, timeout: float = TIMEOUT_SECONDS, link_pattern: str | None = None, **filters: Unpack[LeaseFilters]
    ) -> str:
        """Return the link in the next message that holds one; see `Client.wait_for_link`."""
        return self._wait(matchers.a_link(link_pattern), timeout, filters).value

    def messages(self) -> list[Message]:
        """Return what the line received since the lease began, oldest first, what came late too."""
        return self._client._hold(leasing.lease_messages(self._lease))

    def reply(self, text: str, *, to: str | None = None, provider: str | None = None, url: str | None = None) -> Reply:
        """Reply as the handset to the application, which is told by its provider's inbound webhook, signed.

        It goes to whoever sent the newest text that was caught for this number, or to the application's number `to` at
        `provider`. `url` is where the application takes it, if the server's settings do not say so; NoApplication is
        raised if nobody knows. STOP and START end and resume texts to this number, as at the provider.
        """
        return self._client._hold(leasing.reply(self._lease, text, to=to, provider=provider, url=url))

    def make_weather(self, *, lasts: float = TTL_SECONDS, **effects: Unpack[Effects]) -> str:
        """Have texts that are caught for this number be late, lost, doubled or refused for `lasts` seconds.

        `delay_seconds=5`, `drop=True`, `double=True`, `reorder=True`, `undelivered="30003"`, `throttle=True` (429),
        `slow_seconds=3`; only for a `sender`, or a `provider`, if they are given. Returns what `end_weather` takes.
        """
        return self._client._hold(leasing.make_weather(self._lease, lasts, effects))

    def end_weather(self, rule_id: str) -> None:
        """End what `make_weather` made before its time."""
        self._client._hold(leasing.end_weather(rule_id))

    def mark(self) -> str:
        """Return the cursor of now: what came before this call is never given to a wait that is `after` it."""
        return self._client._hold(calls.cursor())

    def extend(self, ttl: float = TTL_SECONDS) -> None:
        """Let the lease last for `ttl` seconds from now, if that is longer. Raises LeaseEnded if it is over."""
        self._lease = self._client._hold(leasing.extend(self._lease, ttl))

    def release(self) -> None:
        """End the lease: the line rests, and is free then. A second time is no error."""
        self._client._hold(leasing.release(self._lease))

    def _wait(self, want: Want, timeout: float, filters: LeaseFilters) -> Match:
        return self._client._hold(self._waiting(want, timeout, filters))


class LeasedLines(LeasedGroup[LeasedLine]):
    """Some numbers that are ours alone, a LeasedLine for each, in a tuple's stead. A `with` block releases them all.

    `alice, bob = lines` takes them apart; a line that is released on its own stays so.
    """

    def __init__(self, client: Client, group: LeaseGroup) -> None:
        super().__init__(group, [LeasedLine(client, lease) for lease in group.leases])
        self._client = client

    def __enter__(self) -> "LeasedLines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except SmscatchError:
            if error is None:  # else that one matters more; the leases end by themselves
                raise

    def extend(self, ttl: float = TTL_SECONDS) -> None:
        """Let all leases that were not released last for `ttl` seconds from now. Raises LeaseEnded if one expired."""
        self._take(self._client._hold(leasing.extend(self._group, ttl)))

    def release(self) -> None:
        """End all leases: the lines rest, and are free then. A second time is no error."""
        self._client._hold(leasing.release(self._group))
