"""`smscatch lines`, `leases`, `lease` and `release`: our numbers, and who has which."""

import argparse
import json
import sys
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from smscatch.cli.base import NOTHING, OK, Command, parse_given, parse_seconds
from smscatch.cli.child import command_of, heeding
from smscatch.cli.keeping import leave, run_with
from smscatch.cli.meaning import a_server, open_client
from smscatch.messages import TTL_SECONDS, WAIT_SECONDS, Line
from smscatch.printing import blank_controls
from smscatch.times import format_time

if TYPE_CHECKING:
    from smscatch.client.sync import Client, LeasedLine, LeasedLines


def run_lines(options: argparse.Namespace) -> int:
    """smscatch lines."""
    with open_client(options) as client:
        lines = client.lines()
    for line in lines:
        last = format_time(line.last_received_at) if line.last_received_at else "never"
        count = "1 message" if line.messages == 1 else f"{line.messages} messages"
        print(blank_controls(f"{line.number}  {line.label or '-'}  {count}, last {last}{_modem(line)}{_strange(line)}"))
    return OK if lines else NOTHING


def _strange(line: Line) -> str:
    return ", unconfigured: it is not in the server's smscatch.toml" if line.unconfigured else ""


def _modem(line: Line) -> str:
    """Return how the line's modem is, in a few words, if a link of ours reads it."""
    if line.modem is None:
        return ""
    signal = line.modem["signal_percent"]
    heard = "" if signal is None else f", signal {signal} %"
    return f", modem {line.modem['state']}{heard}" + (f": {line.modem['error']}" if line.modem["error"] else "")


def run_leases(options: argparse.Namespace) -> int:
    """smscatch leases."""
    with open_client(options) as client:
        leases = client.leases()
    for lease in leases:
        rest = f"until {format_time(lease.rests_until)}"
        state = f"rests after {lease.holder or '-'}, {rest}"
        if lease.expires_at > datetime.now(UTC):
            state = f"leased to {lease.holder or '-'}, until {format_time(lease.expires_at)}, then rests {rest}"
        print(blank_controls(f"{lease.line}  {lease.label or '-'}  {state}  {lease.id}"))
    if not leases:
        print("No line is leased.", file=sys.stderr)
    return OK if leases else NOTHING


def run_lease(options: argparse.Namespace) -> int:
    """smscatch lease."""
    from smscatch.client.sync import LeasedLine  # noqa: PLC0415 - what needs HTTP, other commands do without

    command = command_of(options.command)
    with open_client(options) as client, heeding(leave):
        leased = _lease(client, options)
        if command:
            return run_with(leased, command, options.ttl)
        facts = _lease_facts(leased) if isinstance(leased, LeasedLine) else _group_facts(leased)
        try:
            print(json.dumps(facts), flush=True)
        except OSError:  # nobody learns of it
            leased.release()
            raise
        return OK


def _lease(client: "Client", options: argparse.Namespace) -> "LeasedLine | LeasedLines":
    ask = partial(
        client.lease, options.line, label=options.label, holder=options.holder, ttl=options.ttl, wait=options.wait
    )
    return ask() if options.count is None else ask(count=options.count)


def _lease_facts(phone: "LeasedLine") -> dict[str, Any]:
    facts = {"id": phone.id, "line": phone.number, "label": phone.label, "cursor": phone.cursor}
    return facts | {"expires_at": format_time(phone.expires_at)}


def _group_facts(phones: "LeasedLines") -> dict[str, Any]:
    leases = [_lease_facts(phone) for phone in phones]
    return {"id": phones.id, "expires_at": format_time(phones.expires_at), "leases": leases}


def run_release(options: argparse.Namespace) -> int:
    """smscatch release."""
    with open_client(options) as client:
        client.leased_group(options.id).release()
    return OK


def _add_lease_arguments(lease: argparse.ArgumentParser) -> None:
    lease.epilog = (
        "Without a command it prints the lease as JSON. With one it runs it, with the number in SMSCATCH_LINE and the"
        " lease's id in SMSCATCH_LEASE, keeps the lease until the command ends, and ends with its status."
        " With --count 2 these are SMSCATCH_LINE_1, SMSCATCH_LEASE_1, SMSCATCH_LINE_2 and SMSCATCH_LEASE_2;"
        " SMSCATCH_LINES has all numbers, SMSCATCH_LEASES all ids."
    )
    which = lease.add_mutually_exclusive_group()
    which.add_argument("--line", type=parse_given, help="this number of ours; any that is free by default")
    which.add_argument("--label", type=parse_given, help="any of the lines with this label")
    lease.add_argument("--count", type=int, metavar="LINES", help="so many lines at once, all or none")
    lease.add_argument("--holder", help="who you are, for others to see; host name and process by default")
    lease.add_argument(
        "--ttl", type=parse_seconds, default=TTL_SECONDS, metavar="SECONDS", help="how long (%(default)g)"
    )
    lease.add_argument(
        "--wait",
        type=parse_seconds,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait for a line (%(default)g)",
    )
    lease.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="run this while the lease lasts")


def _add_release_arguments(release: argparse.ArgumentParser) -> None:
    release.add_argument("id", type=parse_given, metavar="ID")


COMMANDS = (
    Command("lines", "list our numbers", run_lines, means=a_server),
    Command("leases", "list who has which line, and until when", run_leases, means=a_server),
    Command(
        "lease",
        "have a line alone for a while, or for as long as a command runs",
        run_lease,
        _add_lease_arguments,
        means=a_server,
    ),
    Command("release", "end a lease", run_release, _add_release_arguments, means=a_server),
)
