"""A server for one command alone, in a folder of its own that goes with it: where nobody named a server."""

import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from smscatch.errors import CannotStart
from smscatch.settings import load_settings
from smscatch.settings.forms import show_codes

READY = "smscatch listens on "


@contextlib.contextmanager
def own_server() -> Iterator[tuple[str, str]]:
    """Run `smscatch serve` on a free port of loopback for as long as the block runs; lend its URL and a key.

    It knows no setting of the user's but the fixed codes of verifications, and ends with us, however we end.
    Raises CannotStart.
    """
    with tempfile.TemporaryDirectory(prefix="smscatch-server-") as folder:
        key = secrets.token_urlsafe(24)
        process = _start(Path(folder), key)
        with process:
            try:
                yield _read_url(process, Path(folder)), key
            finally:
                process.terminate()


def _start(folder: Path, key: str) -> subprocess.Popen[str]:
    config = folder / "smscatch.toml"
    config.touch()
    settings = {
        "CONFIG": str(config),
        "HOST": "127.0.0.1",
        "PORT": "0",
        "STORE": f"sqlite:///{folder}/smscatch.db",
        "SPOOL": f"{folder}/spool",
        "ADMIN_KEY": key,
        "VIRTUAL_DEFAULT": "true",  # it has no other lines
        "VIRTUAL_LABELS": "*",
        "VIRTUAL_CODES": show_codes(load_settings(for_client=True).virtual_codes),
    }
    users = {name: value for name, value in os.environ.items() if not name.startswith("SMSCATCH_")}
    # Also if we are killed (PR_SET_PDEATHSIG). setpriv is in util-linux.
    setpriv = shutil.which("setpriv")
    bound = (setpriv, "--pdeathsig", "TERM") if setpriv else ()
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            # -P: a module in the user's folder is not ours.
            [*bound, sys.executable, "-P", "-m", "smscatch.cli", "serve"],
            env=users | {f"SMSCATCH_{name}": value for name, value in settings.items()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is for the command
        )


def _read_url(process: subprocess.Popen[str], folder: Path) -> str:
    """Return where the server listens, once it does. Raises CannotStart."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    line = process.stdout.readline()
    if line.startswith(READY):
        return line.removeprefix(READY).strip()
    said = (folder / "log").read_text(errors="replace").strip().splitlines() or ["it said nothing"]
    raise CannotStart(f"A server for this command does not start: {said[-1].removeprefix('smscatch: ')}")
