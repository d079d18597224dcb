"""The client for asyncio: the same as `sync`, with `await`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar, Unpack, overload

import httpx2

from smscatch.client import calls, leasing, matchers
from smscatch.client.calls import Filters, WaitFilters
from smscatch.client.exchange import (
    GOODBYE_SECONDS,
    PAUSE_SECONDS,
    Ask,
    Conversation,
    Pause,
    T,
    cannot_reach,
    check,
    is_ours,
    open_async_http,
    refuse_closed,
)
from smscatch.client.following import EVENTS, SILENCE_SECONDS, Following
from smscatch.client.leased import Leased, LeasedGroup, LeaseFilters
from smscatch.client.leasing import Effects, Reply
from smscatch.client.matchers import Match, Want
from smscatch.errors import SmscatchError
from smscatch.messages import TIMEOUT_SECONDS, TTL_SECONDS, WAIT_SECONDS, Lease, LeaseGroup, Line, Message
from smscatch.redirecting import SmppTarget, send_url
from smscatch.totp import LEFT_SECONDS

__tracebackhide__ = is_ours


class AsyncClient:
    """Speaks to a smscatch server at `url` with an API key. Use it in an `async with` block, or close it.

    What is not given is taken from SMSCATCH_URL and SMSCATCH_KEY, else from smscatch.toml, as on the command line.
    Every method raises Unauthorized or Forbidden for a key that may not, CannotReach if the server does not answer,
    and whatever else errors.py lists under the server's stable code; BadSetting is raised at once for a URL or a key
    that cannot be one. Tasks may share a client.
    """

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        from smscatch.settings import find_server  # noqa: PLC0415 - to be imported is not to be used

        self.url, self.key = find_server(url, key)
        self._http = open_async_http(self.url, self.key)

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def messages(self, *, limit: int = 50, **filters: Unpack[Filters]) -> list[Message]:
        """See Client.messages."""
        return await self._hold(calls.messages(limit, filters))

    def send_url(self, provider: str) -> str:
        """See Client.send_url. Raises BadRequest for "smpp": `smpp` asks the server for that."""
        return send_url(self.url, provider)

    async def smpp(self) -> SmppTarget:
        """See Client.smpp."""
        return await self._hold(calls.smpp(self.url))

    async def caught(self, line: str, *, after: str = "0", timeout: float = TIMEOUT_SECONDS) -> Message:
        """See Client.caught."""
        return await self._hold(calls.caught(line, after, timeout))

    async def lines(self) -> list[Line]:
        """See Client.lines."""
        return await self._hold(calls.lines())

    async def leases(self) -> list[Lease]:
        """See Client.leases."""
        return await self._hold(calls.leases())

    async def cursor(self) -> str:
        """See Client.cursor."""
        return await self._hold(calls.cursor())

    async def totp(self, secret: str, *, left: float = LEFT_SECONDS) -> str:
        """See Client.totp."""
        return await self._hold(calls.totp(secret, left))

    async def wait_for_message(self, *, timeout: float = TIMEOUT_SECONDS, **filters: Unpack[WaitFilters]) -> Message:
        """See Client.wait_for_message."""
        return (await self._wait(matchers.the_text, timeout, filters)).message

    async def wait_for_code(
        self, *, timeout: float = TIMEOUT_SECONDS, code_pattern: str | None = None, **filters: Unpack[WaitFilters]
    ) -> str:
        """See Client.wait_for_code."""
        return (await self._wait(matchers.a_code(code_pattern), timeout, filters)).value

    async def wait_for_link(
        self, *, timeout: float = TIMEOUT_SECONDS, link_pattern: str | None = None, **filters: Unpack[WaitFilters]
    ) -> str:
        """See Client.wait_for_link."""
        return (await self._wait(matchers.a_link(link_pattern), timeout, filters)).value

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
    ) -> "Leasing[AsyncLeasedLine]": ...

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
    ) -> "Leasing[AsyncLeasedLines]": ...

    def lease(
        self,
        line: str | None = None,
        *,
        label: str | None = None,
        holder: str | None = None,
        ttl: float = TTL_SECONDS,
        wait: float = WAIT_SECONDS,
        count: int | None = None,
    ) -> "Leasing[AsyncLeasedLine] | Leasing[AsyncLeasedLines]":
        """See Client.lease; use it in an `async with` block, or await it and release it."""
        wanted = leasing.Wanted(line=line, label=label, holder=holder, ttl=ttl, wait=wait, count=count)
        if count is None:
            return Leasing(partial(self._lease, wanted))
        return Leasing(partial(self._lease_group, wanted))

    async def _lease(self, wanted: leasing.Wanted) -> "AsyncLeasedLine":
        return AsyncLeasedLine(self, await self._hold(leasing.lease(wanted)))

    async def _lease_group(self, wanted: leasing.Wanted) -> "AsyncLeasedLines":
        return AsyncLeasedLines(self, await self._hold(leasing.lease_group(wanted)))

    async def leased(self, lease_id: str, after: str | None = None) -> "AsyncLeasedLine":
        """See Client.leased."""
        return AsyncLeasedLine(self, await self._hold(leasing.leased(lease_id, after)), after)

    async def leased_group(self, group_id: str) -> "AsyncLeasedLines":
        """See Client.leased_group."""
        return AsyncLeasedLines(self, await self._hold(leasing.leased_group(group_id)))

    async def events(self, **filters: Unpack[Filters]) -> AsyncIterator[Message]:
        """See Client.events."""
        following = Following(await self._hold(calls.start_of(filters)), filters)
        while True:
            refuse_closed(self._http)
            try:
                async with self._http.stream(
                    "GET", EVENTS, params=following.params(), timeout=SILENCE_SECONDS
                ) as response:
                    if not response.is_success:
                        await response.aread()
                        check(response)
                    async for event in httpx2.EventSource(response):
                        message = following.take(event)
                        if message is not None:
                            yield message
            except (httpx2.TransportError, SmscatchError) as error:
                following.survive(error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _wait(self, want: Want, timeout: float, filters: WaitFilters) -> Match:
        return await self._hold(calls.wait("/api/v1/messages/next", want, timeout, filters))

    async def _hold(self, conversation: Conversation[T]) -> T:
        try:
            step = next(conversation)
            while True:
                try:
                    answer = await self._perform(step)
                except BaseException as error:  # a cancellation too: a conversation may have to say goodbye
                    step = conversation.throw(error)
                else:
                    step = conversation.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _perform(self, step: Ask | Pause) -> httpx2.Response | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        return await (self._send_goodbye(step) if step.is_goodbye else self._send(step))

    async def _send_goodbye(self, request: Ask) -> httpx2.Response:
        """Send what a cancellation does not cut off: it takes effect when the answer is here, a second one at once."""
        sending = asyncio.ensure_future(self._send(request))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            await asyncio.wait([sending], timeout=GOODBYE_SECONDS)
            raise

    async def _send(self, request: Ask) -> httpx2.Response:
        refuse_closed(self._http)
        try:
            return check(await self._http.send(request.build(self._http)))
        except httpx2.RequestError as error:
            raise cannot_reach(self.url, error) from error


H = TypeVar("H", "AsyncLeasedLine", "AsyncLeasedLines")


class Leasing(Generic[H]):
    """What `AsyncClient.lease` returns: `await` it, or enter it with `async with`; once."""

    def __init__(self, ask: Callable[[], Awaitable[H]]) -> None:
        self._ask: Callable[[], Awaitable[H]] = ask
        self._held: H | None = None
        self._is_begun = False

    def __await__(self) -> Generator[Any, None, H]:
        return self._begin().__await__()

    async def _begin(self) -> H:
        if self._is_begun:
            raise SmscatchError("This lease was asked for already. Call lease() again for another line.")
        self._is_begun = True
        self._held = await self._ask()
        return self._held

    async def __aenter__(self) -> H:
        return await self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            await self._held.__aexit__(kind, error, trace)


class AsyncLeasedLine(Leased):
    """A number that is ours alone; see LeasedLine. An `async with` block releases it."""

    def __init__(self, client: AsyncClient, lease: Lease, after: str | None = None) -> None:
        super().__init__(lease, after)
        self._client = client

    async def __aenter__(self) -> "AsyncLeasedLine":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.release()
        except SmscatchError:
            if error is None:  # else that one matters more; the lease ends by itself
                raise

    async def wait_for_message(self, *, timeout: float = TIMEOUT_SECONDS, **filters: Unpack[LeaseFilters]) -> Message:
        """See LeasedLine.wait_for_message."""
        return (await self._wait(matchers.the_text, timeout, filters)).message

    async def wait_for_code(
        self, *, timeout: float = TIMEOUT_SECONDS, code_pattern: str | None = None, **filters: Unpack[LeaseFilters]
    ) -> str:
        """See LeasedLine.wait_for_code."""
        return (await self._wait(matchers.a_code(code_pattern), timeout, filters)).value

    async def wait_for_link(
        self, *, timeout: float = TIMEOUT_SECONDS, link_pattern: str | None = None, **filters: Unpack[LeaseFilters]
    ) -> str:
        """See LeasedLine.wait_for_link."""
        return (await self._wait(matchers.a_link(link_pattern), timeout, filters)).value

    async def messages(self) -> list[Message]:
        """See LeasedLine.messages."""
        return await self._client._hold(leasing.lease_messages(self._lease))

    async def reply(
        self, text: str, *, to: str | None = None, provider: str | None = None, url: str | None = None
    ) -> Reply:
        """Reply as the handset to the application, which is told by its provider's inbound webhook, signed.

        It goes to whoever sent the newest text that was caught for this number, or to the application's number `to` at
        `provider`. `url` is where the application takes it, if the server's settings do not say so; NoApplication is
        raised if nobody knows. STOP and START end and resume texts to this number, as at the provider.
        """
        return await self._client._hold(leasing.reply(self._lease, text, to=to, provider=provider, url=url))

    async def make_weather(self, *, lasts: float = TTL_SECONDS, **effects: Unpack[Effects]) -> str:
        """Have texts that are caught for this number be late, lost, doubled or refused for `lasts` seconds.

        `delay_seconds=5`, `drop=True`, `double=True`, `reorder=True`, `undelivered="30003"`, `throttle=True` (429),
        `slow_seconds=3`; only for a `sender`, or a `provider`, if they are given. Returns what `end_weather` takes.
        """
        return await self._client._hold(leasing.make_weather(self._lease, lasts, effects))

    async def end_weather(self, rule_id: str) -> None:
        """End what `make_weather` made before its time."""
        await self._client._hold(leasing.end_weather(rule_id))

    async def mark(self) -> str:
        """See LeasedLine.mark."""
        return await self._client._hold(calls.cursor())

    async def extend(self, ttl: float = TTL_SECONDS) -> None:
        """See LeasedLine.extend."""
        self._lease = await self._client._hold(leasing.extend(self._lease, ttl))

    async def release(self) -> None:
        """See LeasedLine.release."""
        await self._client._hold(leasing.release(self._lease))

    async def _wait(self, want: Want, timeout: float, filters: LeaseFilters) -> Match:
        return await self._client._hold(self._waiting(want, timeout, filters))


class AsyncLeasedLines(LeasedGroup[AsyncLeasedLine]):
    """Some numbers that are ours alone; see LeasedLines. An `async with` block releases them all."""

    def __init__(self, client: AsyncClient, group: LeaseGroup) -> None:
        super().__init__(group, [AsyncLeasedLine(client, lease) for lease in group.leases])
        self._client = client

    async def __aenter__(self) -> "AsyncLeasedLines":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.release()
        except SmscatchError:
            if error is None:  # else that one matters more; the leases end by themselves
                raise

    async def extend(self, ttl: float = TTL_SECONDS) -> None:
        """See LeasedLines.extend."""
        self._take(await self._client._hold(leasing.extend(self._group, ttl)))

    async def release(self) -> None:
        """See LeasedLines.release."""
        await self._client._hold(leasing.release(self._group))
