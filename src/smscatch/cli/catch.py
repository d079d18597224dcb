"""`smscatch catch`: run a program whose calls to SMS providers are caught. Needs the extra `catch`."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from smscatch.cli.base import Command, add_settings
from smscatch.cli.child import ENDING, Child, command_of, heeding, shell_status
from smscatch.cli.meaning import a_server, is_server_named, server_of
from smscatch.errors import CannotStart, Forbidden

if TYPE_CHECKING:
    from smscatch.catching.forwarding import Destination
    from smscatch.catching.tally import Tally

NOTHING_CAME = "caught nothing: no call to an SMS provider came this way (docs/catching.md says which clients miss it)"
AMAZONS_KEYS = (
    "Amazon's services were called with the catcher's keys, so that a missed call to SNS is refused; with --keep-aws a"
    " program has its own"
)


def run_catch(options: argparse.Namespace) -> int:
    """smscatch catch."""
    command = command_of(options.command)
    if not command:
        from smscatch.cli.catcher import serve_catcher  # noqa: PLC0415 - it needs another extra

        return serve_catcher(options)
    if options.emulator is not None:
        raise CannotStart("--emulator is for `smscatch catch` without a COMMAND: run that one, and COMMAND beside it.")
    try:
        import smscatch.catching.catcher  # noqa: F401, PLC0415 - needs the extra; before a server is started
        from smscatch.catching.forwarding import Destination  # noqa: PLC0415
        from smscatch.catching.tally import Tally  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise CannotStart(f"{error.name} is missing: pip install 'smscatch[catch]'") from error
    with _server(options) as (url, key):
        tally = Tally()
        status = _run(command, Destination(url, key, options.keep_aws), tally)
    for line in describe(tally, keeps_aws=options.keep_aws):
        print(f"smscatch: {line}", file=sys.stderr)
    return status


def describe(tally: "Tally", *, keeps_aws: bool) -> list[str]:
    """Return what there is to say when a program has ended, in lines."""
    nothing = [] if tally.caught_requests else [NOTHING_CAME]
    return [*nothing, *tally.report(), *([AMAZONS_KEYS] if tally.saw_amazon and not keeps_aws else [])]


@contextlib.contextmanager
def _server(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Lend the URL and the key of the server that is meant, or of one of our own if nobody named one.

    Raises CannotReach or Unauthorized before a program relies on it, or CannotStart.
    """
    from smscatch.client.sync import Client  # noqa: PLC0415 - what needs HTTP, other commands do without

    if not is_server_named(options):
        from smscatch.cli.own_server import own_server  # noqa: PLC0415 - only where it is needed

        with own_server() as (url, key):
            print(
                f"smscatch: no server is named, so one runs for this command: {url}/ with the key {key}",
                file=sys.stderr,
            )
            yield url, key
        return
    url, key = server_of(options)
    with Client(url, key) as client, contextlib.suppress(Forbidden):  # a key that may only send is right
        client.cursor()
    yield url, key


def _run(command: list[str], destination: "Destination", tally: "Tally") -> int:
    """Run a command whose calls are caught; return its status as a shell has it."""
    import asyncio  # noqa: PLC0415 - most commands do without

    from smscatch.catching.catcher import catching  # noqa: PLC0415

    child = Child()

    async def run() -> int:
        async with catching(os.environ, destination, tally) as environ:
            return await asyncio.to_thread(_wait, child.start(command, environ))

    with heeding(child.heed, (*ENDING, signal.SIGINT)):
        return shell_status(asyncio.run(run()))


def _wait(process: subprocess.Popen[bytes]) -> int:
    with process:
        return process.wait()


def _add_catch_arguments(catch: argparse.ArgumentParser) -> None:
    catch.epilog = (
        "Without COMMAND it is a server with nothing to set up: it prints its page, a key, and how to point an SDK at"
        " it (--host, --port). It heeds what SMSCATCH_* variables say, but for SMSCATCH_STORE and SMSCATCH_SPOOL; a"
        " configuration file is another server's. With COMMAND the program's environment has a proxy and a certificate"
        " authority (CA) of this run: its calls to SMS providers are answered by the server, and what it calls beyond"
        " passes through, unread. Variables that hold a provider's key hold the catcher's instead; SMSCATCH_URL and"
        " SMSCATCH_KEY are set. It ends with the program's status, and says on standard error what was caught. Where no"
        " server is named, one runs for this command alone."
    )
    add_settings(catch, "host", "port")
    catch.add_argument(
        "--keep-aws", action="store_true", help="with COMMAND: it keeps its own keys for Amazon's services"
    )
    catch.add_argument("--smpp-port", help="the port for applications that send by SMPP; any free one if not given")
    catch.add_argument(
        "--emulator",
        nargs="?",
        const="",
        metavar="SERIAL",
        help="without COMMAND: type each text into the Android emulator, or that of several which adb calls SERIAL",
    )
    catch.add_argument("--until", type=int, metavar="PID", help="without COMMAND: end when that process has ended")
    catch.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="the program to run, if any")


COMMANDS = (
    Command(
        "catch",
        "catch what an application sends to SMS providers",
        run_catch,
        _add_catch_arguments,
        means=a_server,
    ),
)
