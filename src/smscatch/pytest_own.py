"""A server for a run of pytest where none is set: what the plugin starts, and ends with the run."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from smscatch.errors import CannotStart

CODES = "SMSCATCH_VIRTUAL_CODES"  # of what is set the one thing that this server heeds too: fixed codes
PATIENCE = 10.0  # seconds for a server of ours to end in


class OwnServer:
    """A server for this run, in which fictitious numbers are leased and what the application sends is caught.

    It begins when the first test asks for it, and ends with the run. With pytest-xdist all workers have one: whichever
    is first starts it, under a lock in a `folder` that the controlling process made for them, and removes.
    """

    def __init__(self, folder: Path, owner: int) -> None:
        self._folder = folder
        self._owner = owner
        self._process: subprocess.Popen[str] | None = None

    @classmethod
    def shared_by(cls, folder: str, owner: int) -> "OwnServer":
        """Return the one that another process made: see `shared`."""
        return cls(Path(folder), owner)

    @classmethod
    def made(cls) -> "OwnServer":
        """Return a new one, which is not started."""
        return cls(Path(tempfile.mkdtemp(prefix="smscatch-pytest-")), os.getpid())

    @property
    def shared(self) -> tuple[str, int]:
        """What another process needs to find it."""
        return str(self._folder), self._owner

    def find(self) -> tuple[str, str]:
        """Return its URL and key; start it if nobody has. Raises CannotStart."""
        known = self._folder / "server.json"
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not known.exists():
                known.write_text(json.dumps(self._start()))
        facts = json.loads(known.read_text())
        return str(facts["url"]), str(facts["key"])

    def _start(self) -> dict[str, Any]:
        key = secrets.token_urlsafe(24)
        command = [sys.executable, "-P", "-m", "smscatch.cli", "catch", "--port", "0", "--until", str(self._owner)]
        environ = {
            name: value for name, value in os.environ.items() if name == CODES or not name.startswith("SMSCATCH_")
        }
        with (self._folder / "log").open("w") as log, self._alive.open("w") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)  # which the server has from us, and keeps until its process has ended
            self._process = subprocess.Popen(
                command,
                env=environ | {"SMSCATCH_KEY": key, "SMSCATCH_CONFIG": os.devnull},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for pytest, which still releases lines then
                pass_fds=[alive.fileno()],
            )
        for line in self._process.stdout or ():
            if line.strip().startswith("page"):
                return {"url": line.split()[1].rstrip("/"), "key": key, "pid": self._process.pid}
        said = (self._folder / "log").read_text().strip().splitlines() or ["it said nothing"]
        raise CannotStart(
            "No server is set (SMSCATCH_URL and SMSCATCH_KEY, or --sms-url), and none can be started for this run:"
            f" {said[-1].removeprefix('smscatch: ')}"
        )

    def end(self) -> None:
        """End it, whoever started it, and remove the folder once its process is gone; for the process that made this.

        A server that has not ended of itself after `PATIENCE` is killed: it holds nothing that anyone reads later.
        """
        known = self._folder / "server.json"
        if known.exists():
            pid = json.loads(known.read_text())["pid"]
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                if self._has_ended():
                    break
        if self._process is not None and self._process.stdout is not None:
            self._process.wait()
            self._process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _alive(self) -> Path:
        return self._folder / "alive"

    def _has_ended(self) -> bool:
        """Say whether the server's process, most often the child of another worker, has ended within PATIENCE."""
        until = time.monotonic() + PATIENCE
        with self._alive.open() as alive:
            while time.monotonic() < until:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return True
                time.sleep(0.02)
        return False
