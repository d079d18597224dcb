"""Telling the server which hosts a program calls that are not caught: a test whose text never came asks for them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import httpcore2
import msgspec

from smscatch.catching.forwarding import Destination
from smscatch.catching.relaying import FAILURES, open_pool
from smscatch.hosts import MOST, CalledHost, HostList

SECONDS = 5.0  # for the server to be told


class Reporter:
    """Tells as soon as something is noted, and meanwhile gathers what comes; what cannot be told is forgotten."""

    def __init__(self, target: Destination) -> None:
        self._target = target
        self._server = urlsplit(target.url).hostname
        self._noted: Counter[tuple[str, str, str]] = Counter()
        self._is_noted = asyncio.Event()

    def note(self, host: str, outcome: str, reason: str) -> None:
        """Note what became of a call to a host, as CalledHost has it."""
        if host != self._server:
            self._noted[host, outcome, reason] += 1
            self._is_noted.set()

    @contextlib.asynccontextmanager
    async def telling(self) -> AsyncGenerator[None, None]:
        """Tell for as long as the block runs."""
        telling = asyncio.create_task(self._keep_telling())
        try:
            yield
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _keep_telling(self) -> None:
        async with open_pool() as pool:
            while True:
                await self._is_noted.wait()
                self._is_noted.clear()
                told = [
                    msgspec.convert({"host": host, "outcome": outcome, "reason": reason, "count": count}, CalledHost)
                    for (host, outcome, reason), count in self._noted.most_common(MOST)
                ]
                self._noted.clear()
                with contextlib.suppress(*FAILURES):
                    await self._tell(pool, HostList(told))

    async def _tell(self, pool: httpcore2.AsyncConnectionPool, hosts: HostList) -> None:
        headers = [("Authorization", f"Bearer {self._target.key}"), ("Content-Type", "application/json")]
        timeout = dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)
        url = f"{self._target.url.rstrip('/')}/api/v1/hosts"
        await pool.request(
            "POST", url, headers=headers, content=msgspec.json.encode(hosts), extensions={"timeout": timeout}
        )
