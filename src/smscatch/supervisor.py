"""What a service manager gives a program that it starts, and what the program tells it. systemd's protocol alone.

Sources: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3).
"""

import asyncio
import contextlib
import socket
from typing import NamedTuple

from smscatch.errors import CannotStart

FIRST_DESCRIPTOR = 3  # SD_LISTEN_FDS_START


class Supervisor(NamedTuple):
    """A service manager, or none: then nothing is told.

    `address` is where it hears, a path or, behind an @, an abstract name; `watchdog_seconds` how often it must hear of
    us, or else it starts us anew; `sockets` how many it has opened for us.
    """

    address: str = ""
    watchdog_seconds: float | None = None
    sockets: int = 0

    def tell(self, state: str) -> None:
        """Tell it something, such as READY=1. One that does not hear is no reason to stop."""
        if self.address:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto(state.encode(), self.address.replace("@", "\0", 1))

    async def keep_alive(self) -> None:
        """Tell it again and again that the event loop turns; runs until cancelled."""
        while True:
            self.tell("WATCHDOG=1")
            await asyncio.sleep((self.watchdog_seconds or 60.0) / 2)

    def listener(self) -> socket.socket | None:
        """Return the listening socket that it opened for us, None if it opened none. Raises CannotStart for others."""
        if not self.sockets:
            return None
        listener = socket.socket(fileno=FIRST_DESCRIPTOR)
        if self.sockets > 1 or listener.family not in (socket.AF_INET, socket.AF_INET6):
            listener.close()
            raise CannotStart("The service manager gave other sockets than one for TCP: one ListenStream=HOST:PORT.")
        return listener


NOBODY = Supervisor()
