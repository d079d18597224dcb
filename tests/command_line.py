"""`smscatch …` as a user types it: as a process of its own (a copy, see warm.py), or in this one."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from smscatch.cli import main
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.surroundings import bare_environ
from tests.warm import WarmProcess


def as_process(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does: for what only a process has, such as its exit status, HOME, and children."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        with WarmProcess(arguments, _environ(environ), err, out) as process:
            status = process.wait(PATIENCE_SECONDS)
        return subprocess.CompletedProcess(arguments, status, out.read_text("utf-8"), err.read_text("utf-8"))


def in_process(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Do the same here, through `main`: for what is read, done and said. The environment is ours meanwhile."""
    with (
        _a_file() as out,
        _a_file(errors="backslashreplace") as err,
        mock.patch.dict(os.environ, _environ(environ), clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            status = main(arguments)
        except SystemExit as ended:  # argparse has said what is wrong
            status = int(ended.code or 0)
        said = [_text_of(file) for file in (out, err)]
    return subprocess.CompletedProcess(arguments, status, *said)


def against(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command here that asks a server, as its administrator."""
    return in_process(*arguments, SMSCATCH_URL=server.url, SMSCATCH_KEY=ADMIN_KEY)


def process_against(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Do the same as a process."""
    return as_process(*arguments, SMSCATCH_URL=server.url, SMSCATCH_KEY=ADMIN_KEY)


def _environ(more: dict[str, str]) -> dict[str, str]:
    return bare_environ(HOME="/nowhere") | more


@contextlib.contextmanager
def _a_file(errors: str = "strict") -> Iterator["tempfile._TemporaryFileWrapper[str]"]:
    """Lend what stands for an output: with a descriptor, as a command may ask for one."""
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8", errors=errors, newline="") as file:
        yield file


def _text_of(file: "tempfile._TemporaryFileWrapper[str]") -> str:
    file.flush()
    file.seek(0)
    return file.read()
