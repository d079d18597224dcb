"""What the machine has that the tests must not see, and what the tests must not leave on it."""

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from ctypes import CDLL
from pathlib import Path

from smscatch.settings import Settings, load_settings

# A proxy would be asked for 127.0.0.1; the others set where libpq and our commands look.
HIDDEN = ("PG", "SMSCATCH_", "XDG_")
KEPT = ("SMSCATCH_TEST_",)
SHARED_FOLDER = "SMSCATCH_TEST_SHARED_FOLDER"
MULTIPROCESSING = "from multiprocessing."  # its helpers live as long as we do, and end with us
PROXIES = ("http_proxy", "https_proxy", "all_proxy")
# PYTEST_ADDOPTS of a run of pytest in a test: without the plugins of others, which take each such run seconds to load.
LEAN_PYTEST = " ".join(
    f"-p no:{name}" for name in ("anyio", "asyncio", "cacheprovider", "hypothesispytest", "schemathesis")
)
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def hide_user(home: Path) -> None:
    """Give this process, and all that it starts, an empty HOME and configuration, and no setting of the user's."""
    for name in list(os.environ):
        is_hidden = name.startswith(HIDDEN) and not name.startswith(KEPT)
        if is_hidden or name.lower() in PROXIES:
            del os.environ[name]
    config = home / "smscatch.toml"
    config.touch()
    os.environ |= {"HOME": str(home), "SMSCATCH_CONFIG": str(config)}


def share_folder(home: Path) -> None:
    """Have all workers of this run find one folder for what is made once for all of them."""
    folder = home / "shared"
    folder.mkdir()
    for each in (home, folder):
        each.chmod(0o711)  # PostgreSQL does not run as root
    os.environ[SHARED_FOLDER] = str(folder)


@contextlib.contextmanager
def shared_folder() -> Iterator[Path]:
    """Lend that folder, to one process at a time."""
    folder = Path(os.environ[SHARED_FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def bare_environ(**variables: str) -> dict[str, str]:
    """Return what a command of ours needs at least, and `variables`: nothing of the user's is found with it."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "SMSCATCH_CONFIG")} | variables


def settings_in(folder: Path, config: str = "", **fields: str) -> Settings:
    """Return settings with nothing of this machine's: spool and configuration file lie in `folder`."""
    path = folder / "smscatch.toml"
    path.write_text(config)
    return load_settings({"spool": str(folder / "spool")} | fields, environ={"SMSCATCH_CONFIG": str(path)})


def adopt_orphans() -> None:
    """Have what our processes leave running become children of ours, so that `children` finds it."""
    if sys.platform == "linux":
        CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> dict[int, str]:
    """Return the command lines of the processes that we have started and that still run, by process id."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that ends just now has none
            for pid in map(int, (task / "children").read_text().split()):
                command = _command_of(pid)  # a zombie has none
                if command and MULTIPROCESSING not in command:
                    found[pid] = command
    return found


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def end_children() -> dict[int, str]:
    """Kill the processes that we have started and that still run, and wait for their ends; return their commands."""
    left = children()
    for pid in left:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return left
