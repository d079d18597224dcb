"""The end of a connection, for those who answer on it. What they do then is theirs."""

import contextlib
from collections.abc import Callable, Iterator

HANG_UP = "hang_up"  # where the server puts the HangUp of a connection into the state of each of its requests


class HangUp:
    """The end of a connection, and who is to be told of it. Cheaper than a task for each wait that receives it.

    `read_on` has the server read: where it paused, as behind several requests sent in one go, it would see no end.
    """

    def __init__(self, read_on: Callable[[], None] = lambda: None) -> None:
        self.is_over = False
        self._read_on = read_on
        self._told: list[Callable[[], None]] = []

    @contextlib.contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """Call `tell` if the client hangs up during the block."""
        self._told.append(tell)
        self._read_on()
        try:
            yield
        finally:
            self._told.remove(tell)

    def come(self) -> None:
        """Tell that the client is gone."""
        self.is_over = True
        for tell in [*self._told]:
            tell()
