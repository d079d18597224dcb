"""The keys that were good a short while ago (a cache): what lets a delivery into the spool while the store is silent.

Nothing else may rely on it: a key that was revoked on another server is good here for REMEMBERED_SECONDS more, as long
as the store does not answer.
"""

import asyncio
import math
import time
from typing import NamedTuple

from smscatch.errors import StoreUnavailable
from smscatch.stores import Key, Store

REMEMBERED_SECONDS = 300.0
# For the store to say what it knows of a key that is remembered. Senders of webhooks give up after 5 s, some after 1 s.
PATIENCE_SECONDS = 0.1


class _Question(NamedTuple):
    """What the store was asked of a secret, and what is set when it has answered, or has taken PATIENCE_SECONDS."""

    answer: "asyncio.Task[Key | None]"
    heard: asyncio.Event


class KeyCache:
    """Keys under the hashes of their secrets. The configured one stays until the store says otherwise."""

    def __init__(self) -> None:
        self._configured: bytes | None = None
        self._found: dict[bytes, tuple[float, Key]] = {}
        # The questions that the store has not answered yet, by secret and `changes`: one for all who ask the same.
        self._asked: dict[tuple[bytes, int], _Question] = {}
        self.changes = 0

    def configure(self, secret_hash: bytes, key: Key) -> None:
        """Keep the key of the settings, which the store was given at the start."""
        self._configured = secret_hash
        self.note(secret_hash, key, self.changes)

    async def ask(self, store: Store, secret_hash: bytes) -> Key | None:
        """Return the key that the store has for a secret, expired or not; the one remembered if it is silent or away.

        Raises StoreUnavailable if the store is away and nothing is remembered.
        """
        question, heard = self._question(store, secret_hash)
        if self.find(secret_hash) is not None:
            await heard.wait()
            if not question.done():
                await asyncio.wait([question], timeout=0)  # it may just be answering
        key = self.find(secret_hash)
        if key is not None and (not question.done() or isinstance(question.exception(), StoreUnavailable)):
            return key
        if question.done():
            return question.result()
        return await asyncio.shield(question)  # who hangs up does not end it for the others

    def _question(self, store: Store, secret_hash: bytes) -> "_Question":
        asked = (secret_hash, self.changes)
        if asked not in self._asked:
            task = asyncio.create_task(self._look_up(store, *asked))
            heard = asyncio.Event()
            patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, heard.set)

            def hear(done: "asyncio.Task[Key | None]") -> None:
                patience.cancel()
                heard.set()
                if not done.cancelled():
                    done.exception()  # or asyncio logs it

            task.add_done_callback(hear)
            self._asked[asked] = _Question(task, heard)
        return self._asked[asked]

    async def _look_up(self, store: Store, secret_hash: bytes, changes: int) -> Key | None:
        try:
            key = await store.find_key(secret_hash)
        finally:
            del self._asked[secret_hash, changes]
        self.note(secret_hash, key, changes)
        return key

    def note(self, secret_hash: bytes, key: Key | None, changes: int) -> None:
        """Keep what the store said of a secret, unless keys were changed since there were so many `changes`."""
        if key is None or key.parent is not None or changes != self.changes:  # a session's parent may be gone
            self._found.pop(secret_hash, None)
        else:
            until = math.inf if secret_hash == self._configured else time.monotonic() + REMEMBERED_SECONDS
            self._found[secret_hash] = (until, key)

    def find(self, secret_hash: bytes) -> Key | None:
        """Return the key with this hash, expired or not."""
        until, key = self._found.get(secret_hash, (0.0, None))
        return key if time.monotonic() < until else None

    def forget(self, key_id: str) -> None:
        """Forget a key, which may have been changed or revoked."""
        self._found = {secret: found for secret, found in self._found.items() if found[1].id != key_id}
        self.changes += 1
