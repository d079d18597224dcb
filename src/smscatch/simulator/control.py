"""The control socket of a simulated modem: one JSON object per line, over a unix stream socket.

`{"do": ACTION, ...}` is answered by `{"ok": true, ...}` or `{"ok": false, "error": SENTENCE}`. What the
actions are is in actions; `tell` is the client.
"""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from smscatch.errors import BadRequest, CannotStart, SmscatchError

MAX_LINE_BYTES = 1 << 22
# What a `wait` may take by itself, and what every other answer may take.
WAIT_SECONDS = 300.0
ANSWER_SECONDS = 20.0

Perform = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Yield a name for `path` that fits into the 107 bytes of a unix socket address (man 7 unix).

    Raises CannotStart if the folder of `path` cannot be opened.
    """
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        raise CannotStart(f"Cannot open the folder of {path}: {error.strerror}.") from error
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def is_listening(path: Path) -> bool:
    """Whether a process accepts connections at `path`."""
    with short_path(path) as name, socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(name)
        except OSError:
            return False
        return True


class ControlSocket:
    """A listening control socket that hands each request to `perform`, as action and arguments."""

    def __init__(self, path: Path, perform: Perform) -> None:
        self._path = path
        self._perform = perform
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; a socket that a dead process left is replaced. Raises CannotStart if that is impossible."""
        if is_listening(self._path):
            raise CannotStart(f"Another simulated modem already listens at {self._path}; end it or name another.")
        listener = socket.socket(socket.AF_UNIX)
        try:
            # The mode goes to the file that bind makes: it is never open to others, not even for a moment.
            os.fchmod(listener.fileno(), 0o600)
            with short_path(self._path) as name:
                self._path.unlink(missing_ok=True)
                listener.bind(name)
        except OSError as error:
            listener.close()
            raise CannotStart(f"Cannot listen at {self._path}: {error.strerror}.") from error
        self._server = await asyncio.start_unix_server(self._accept, sock=listener, limit=MAX_LINE_BYTES)

    async def stop(self) -> None:
        """Close the socket and every conversation, and remove its file."""
        if self._server is None:
            return
        self._server.close()
        self._path.unlink(missing_ok=True)
        tasks = list(self._conversations)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Our own tasks, not asyncio's: stop() has to end those that wait for an event.
        task = asyncio.create_task(self._converse(reader, writer))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # ValueError: a line longer than the limit; the client is cut off.
            with contextlib.suppress(ConnectionError, ValueError):
                while line := await reader.readline():
                    writer.write(json.dumps(await self._respond(line)).encode() + b"\n")
                    await writer.drain()
        finally:
            writer.close()

    async def _respond(self, line: bytes) -> dict[str, Any]:
        try:
            arguments = json.loads(line)
            do = arguments.pop("do")
        except (ValueError, AttributeError, KeyError, TypeError):
            return {"ok": False, "error": 'A request is a JSON object with "do", in one line.'}
        try:
            return {"ok": True, **await self._perform(do, arguments)}
        except SmscatchError as error:
            return {"ok": False, "error": str(error)}


def tell(control: Path, do: str, **arguments: Any) -> dict[str, Any]:
    """Have the simulated modem at `control` do something, and return its answer.

    Not for the event loop that the modem itself runs in: it would wait for itself; use SimulatedModem.do there.
    Raises CannotStart if no simulator listens at `control`, BadRequest with its sentence if it refuses.
    """
    # Longer than the simulator takes to say that the wait was in vain.
    patience = ANSWER_SECONDS + (float(arguments.get("timeout", WAIT_SECONDS)) if do == "wait" else 0)
    request = json.dumps({"do": do, **arguments}).encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(patience)
        try:
            with short_path(control) as name:
                client.connect(name)
            client.sendall(request)
            with client.makefile("rb") as answers:
                line = answers.readline()
        except OSError as error:
            raise CannotStart(f"No simulated modem answers at {control} ({error}); start one first.") from error
    if not line:
        raise CannotStart(f"The simulated modem at {control} ended before it answered.")
    answer: dict[str, Any] = json.loads(line)
    if not answer.pop("ok"):
        raise BadRequest(answer["error"])
    return answer
