"""The command line: which commands there are, which options they take, and what an error ends with.

What the commands do is in `client`, which works with the base install, and in `server` and `store`, which need the
extra.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from smscatch import __version__
from smscatch.cli import client, gammu, server, store
from smscatch.cli.base import FAILED, NOTHING, WRONG_USE
from smscatch.errors import (
    BadRequest,
    BadSetting,
    LeaseEnded,
    NoFreeLine,
    NotFound,
    SmscatchError,
    UnknownLine,
    escape_controls,
)
from smscatch.messages import QUIET_SECONDS, TIMEOUT_SECONDS, TTL_SECONDS, WAIT_SECONDS
from smscatch.settings import FIELDS

AddCommand = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0 done, 1 nothing found, 2 wrong use or setting, 3 failed."""
    options = make_parser().parse_args(argv)
    try:
        result: int = options.run(options)
    except (BadSetting, BadRequest, UnknownLine) as error:
        print(f"smscatch: {error}", file=sys.stderr)
        result = WRONG_USE
    except (NotFound, NoFreeLine, LeaseEnded) as error:
        print(error, file=sys.stderr)
        result = NOTHING
    except UnicodeEncodeError as error:  # Python keeps an octet that is no UTF-8 as half a surrogate pair
        wrong = ascii(error.object[error.start : error.end])
        print(f"smscatch: {wrong} cannot be written in {error.encoding}: give and show text in UTF-8.", file=sys.stderr)
        result = WRONG_USE
    except SmscatchError as error:
        print(f"smscatch: {error}", file=sys.stderr)
        result = FAILED
    except ModuleNotFoundError as error:
        print(f"smscatch: {error.name} is missing: pip install 'smscatch[server]'", file=sys.stderr)
        result = FAILED
    except KeyboardInterrupt:
        result = FAILED
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # whoever reads us has seen enough
            print(escape_controls(f"smscatch: {error}"), file=sys.stderr)
        # What is left in the buffer would fail again at the end. https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        result = FAILED
    return result


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each has its function as `run`."""
    parser = argparse.ArgumentParser(prog="smscatch", description="A real phone number for your tests.")
    parser.add_argument("--version", action="version", version=f"smscatch {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(run=run)
        return added

    _add_server_commands(command)
    _add_store_commands(command)
    _add_client_commands(command)
    return parser


def _add_server_commands(command: AddCommand) -> None:
    demo = command("demo", server.run_demo, "run smscatch on two simulated modems, in a folder of its own")
    serve = command("serve", server.run_serve, "run the server")
    for each in (demo, serve):
        each.add_argument("--host", help=FIELDS["host"].help)
        each.add_argument("--port", help=FIELDS["port"].help)
    serve.add_argument("--store", help=FIELDS["store"].help)
    serve.add_argument("--spool", help=FIELDS["spool"].help)

    modem = command("modem", server.run_modem, "read one modem into the spool, without a server")
    modem.add_argument("--device", required=True, help="its port, such as /dev/serial/by-id/usb-HUAWEI…-if00-port0")
    modem.add_argument("--line", help="the SIM's number; by default the line that has this device in smscatch.toml")
    modem.add_argument("--spool", help=FIELDS["spool"].help)

    gammurc = command("gammurc", gammu.run_gammurc, "print gammu-smsd's configuration for this installation")
    gammurc.add_argument("--line", help="the SIM's number, a line of smscatch.toml; by default the only one")
    gammurc.add_argument("--device", help="the modem's port; by default the only one in /dev/serial/by-id")
    gammurc.add_argument("--spool", help=FIELDS["spool"].help)
    gammurc.add_argument("--check", metavar="FILE", help="say instead what is wrong with this file")
    gammurc.add_argument("--user", help="with --check: the user that gammu-smsd runs as; you by default")

    simulate = command("simulate", server.run_simulate, "send an SMS through the demo's modem, or into a spool")
    simulate.add_argument("--line", help="the number that it is for; by default the demo's that our link reads")
    simulate.add_argument("--from", dest="sender", default="Authy", metavar="SENDER", help="a number or a name (Authy)")
    simulate.add_argument("--spool", help="put it straight into this spool, as gammu-smsd's hook would")
    simulate.add_argument("text", metavar="TEXT")


def _add_store_commands(command: AddCommand) -> None:
    keys = command("keys", store.run_keys, "make, list and revoke API keys")
    _add_keys(keys)
    prune = command("prune", store.run_prune, "delete old messages now")
    prune.add_argument("--older-than", metavar="AGE", help="such as 12h or 30d; the retention by default")
    export = command("export", store.run_export, "write everything that is kept as JSON Lines")
    import_ = command("import", store.run_import, "read an export into an empty store")
    for each in (export, import_):
        each.add_argument(
            "file", nargs="?", default="-", metavar="FILE", help="- (the default) is standard input/output"
        )
    for each in (keys, prune, export, import_):
        each.add_argument("--store", help=FIELDS["store"].help)


def _add_client_commands(command: AddCommand) -> None:
    wait = command("wait", client.run_wait, "print the next message (JSON), or its code")
    _add_wait_options(wait)
    cursor = command("cursor", client.run_cursor, "print the cursor of now, for wait --after")
    messages = command("messages", client.run_messages, "list the newest messages")
    messages.add_argument("--limit", type=int, default=20, metavar="COUNT", help="how many at most (20)")
    messages.add_argument("--json", action="store_true", help="one message per line, as JSON")
    for each in (wait, messages):
        each.add_argument("--line", type=_parse_given, help="only this number of ours")
        each.add_argument("--from", dest="sender", metavar="SENDER", help="only from this sender")
        each.add_argument("--contains", metavar="TEXT", help="only texts that contain this")
    lines = command("lines", client.run_lines, "list our numbers")
    leases = command("leases", client.run_leases, "list who has which line, and until when")
    lease = command("lease", client.run_lease, "have a line alone for a while, or for as long as a command runs")
    _add_lease_options(lease)
    release = command("release", client.run_release, "end a lease")
    release.add_argument("id", type=_parse_given, metavar="ID")
    for each in (wait, cursor, messages, lines, leases, lease, release):
        each.add_argument("--url", help=FIELDS["url"].help)
        each.add_argument(
            "--key-file", metavar="FILE", help="the API key's file, - is standard input; SMSCATCH_KEY else"
        )
        each.add_argument("--key", action=_RefuseKey, help=argparse.SUPPRESS)
    command("config", client.run_config, "show every setting, its value and where it came from")
    explain = command("explain", client.run_explain, "show which code is in a text, and why")
    explain.add_argument("text", metavar="TEXT")


def _add_wait_options(wait: argparse.ArgumentParser) -> None:
    wait.add_argument(
        "--timeout",
        type=_parse_seconds,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="how long (%(default)g)",
    )
    wait.add_argument("--after", type=_parse_given, help="a cursor, a time or an age such as 10m; now by default")
    what = wait.add_mutually_exclusive_group()
    what.add_argument("--code", action="store_true", help="wait for a message with a code, and print the code alone")
    what.add_argument("--link", action="store_true", help="wait for a message with a link, and print the link alone")
    wait.add_argument(
        "--lease", type=_parse_given, metavar="ID", help="for a message of this lease, from its beginning on or --after"
    )
    wait.add_argument(
        "--newest",
        action="store_true",
        help="not the oldest match, but the newest once it is quiet: of a code sent twice",
    )
    wait.add_argument(
        "--quiet",
        type=_parse_seconds,
        metavar="SECONDS",
        help=f"with --newest: how long nothing must come ({QUIET_SECONDS})",
    )


class _RefuseKey(argparse.Action):
    """Refuses a key on the command line: all who may list processes on this machine would read it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, option: object = None
    ) -> None:
        parser.error(
            "--key would show the key to everybody who lists the processes of this machine: set SMSCATCH_KEY, or"
            " give --key-file FILE (- is standard input)"
        )


def _add_lease_options(lease: argparse.ArgumentParser) -> None:
    lease.epilog = (
        "Without a command it prints the lease as JSON. With one it runs it, with the number in SMSCATCH_LINE and the"
        " lease's id in SMSCATCH_LEASE, keeps the lease until the command ends, and ends with its status."
        " With --count 2 these are SMSCATCH_LINE_1, SMSCATCH_LEASE_1, SMSCATCH_LINE_2 and SMSCATCH_LEASE_2;"
        " SMSCATCH_LINES has all numbers, SMSCATCH_LEASES all ids."
    )
    which = lease.add_mutually_exclusive_group()
    which.add_argument("--line", type=_parse_given, help="this number of ours; any that is free by default")
    which.add_argument("--label", type=_parse_given, help="any of the lines with this label")
    lease.add_argument("--count", type=int, metavar="LINES", help="so many lines at once, all or none")
    lease.add_argument("--holder", help="who you are, for others to see; host name and process by default")
    lease.add_argument(
        "--ttl", type=_parse_seconds, default=TTL_SECONDS, metavar="SECONDS", help="how long (%(default)g)"
    )
    lease.add_argument(
        "--wait",
        type=_parse_seconds,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait for a line (%(default)g)",
    )
    lease.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="run this while the lease lasts")


def _parse_given(text: str) -> str:
    if not text:  # an unset variable of a script: the server would take it for any
        raise argparse.ArgumentTypeError("it is empty; give a value, or leave it out")
    return text


def _parse_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not seconds >= 0:  # also true for nan
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: give seconds, 0 or more")
    return seconds


def _add_keys(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a key; its secret is printed once")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--scope", default="read", help="comma-separated: read, lease, ingest, admin (read by default)")
    add.add_argument("--line", action="append", help="only for this line; may be repeated")
    actions.add_parser("list", help="list the keys, without their secrets")
    actions.add_parser("revoke", help="make a key worthless").add_argument("id", metavar="ID")
