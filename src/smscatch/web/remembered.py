"""The keys that were good a short while ago: what lets a delivery into the spool while the store cannot be asked.

Nothing else may rely on it: a key that was revoked on another server is good here for REMEMBERED_SECONDS more.
"""

import math
import time

from smscatch.stores import Key

REMEMBERED_SECONDS = 300.0


class Remembered:
    """Keys under the hashes of their secrets. The configured one stays until the store says otherwise."""

    def __init__(self) -> None:
        self._configured: bytes | None = None
        self._found: dict[bytes, tuple[float, Key]] = {}
        self.changes = 0

    def configure(self, secret_hash: bytes, key: Key) -> None:
        """Keep the key of the settings, which the store was given at the start."""
        self._configured = secret_hash
        self.note(secret_hash, key, self.changes)

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
