"""`smscatch wait`, `cursor` and `messages`: the messages of a server."""

import argparse
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from smscatch.cli.base import NOTHING, OK, Command, parse_given, parse_seconds
from smscatch.cli.meaning import a_server, open_client
from smscatch.errors import BadRequest
from smscatch.messages import QUIET_SECONDS, TIMEOUT_SECONDS, Message, encode_message
from smscatch.printing import blank_controls
from smscatch.times import format_time

if TYPE_CHECKING:
    from smscatch.client.sync import Client


def run_wait(options: argparse.Namespace) -> int:
    """smscatch wait."""
    with open_client(options) as client:
        print(_wait(client, options) if options.lease is None else _wait_leased(client, options))
    return OK


def _wait(client: "Client", options: argparse.Namespace) -> str:
    from smscatch.client.calls import WaitFilters  # noqa: PLC0415 - what needs HTTP, other commands do without

    filters = WaitFilters(
        line=options.line,
        sender=options.sender,
        contains=options.contains,
        after=options.after,
        newest=options.newest,
        quiet=options.quiet,
    )
    if options.code:
        return client.wait_for_code(timeout=options.timeout, **filters)
    if options.link:
        return _link(client.wait_for_link(timeout=options.timeout, **filters))
    return _json(client.wait_for_message(timeout=options.timeout, **filters))


def _wait_leased(client: "Client", options: argparse.Namespace) -> str:
    if options.line is not None:
        raise BadRequest("Give --lease or --line, not both: a lease is of one line.")
    phone = client.leased(options.lease, options.after)
    from smscatch.client.leased import LeaseFilters  # noqa: PLC0415

    filters = LeaseFilters(sender=options.sender, contains=options.contains, newest=options.newest, quiet=options.quiet)
    if options.code:
        return phone.wait_for_code(timeout=options.timeout, **filters)
    if options.link:
        return _link(phone.wait_for_link(timeout=options.timeout, **filters))
    return _json(phone.wait_for_message(timeout=options.timeout, **filters))


def run_cursor(options: argparse.Namespace) -> int:
    """smscatch cursor."""
    with open_client(options) as client:
        print(client.cursor())
    return OK


def run_messages(options: argparse.Namespace) -> int:
    """smscatch messages."""
    with open_client(options) as client:
        found = client.messages(
            line=options.line, sender=options.sender, contains=options.contains, limit=options.limit
        )
    for message in found:
        print(_json(message) if options.json else _one_line(message))
    return OK if found else NOTHING


def _json(message: Message) -> str:
    # JSON escapes C0 itself. All else may stand in it as it is, and a terminal obeys C1 (ECMA-48, 5.3) and bidi marks.
    return "".join(map(_json_escape, encode_message(message).decode()))


def _json_escape(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _link(link: str) -> str:
    """Return a link with what cannot be printed as a browser sends it (WHATWG URL, 1.3)."""
    return "".join(character if character.isprintable() else quote(character) for character in link)


def _one_line(message: Message) -> str:
    facts = f"{format_time(message.received_at)}  {message.line}  {message.code or '-':8}"
    return blank_controls(f"{facts}  {message.sender}: {message.text}")


def _add_wait_arguments(wait: argparse.ArgumentParser) -> None:
    wait.add_argument(
        "--timeout",
        type=parse_seconds,
        default=TIMEOUT_SECONDS,
        metavar="SECONDS",
        help="how long (%(default)g)",
    )
    wait.add_argument("--after", type=parse_given, help="a cursor, a time or an age such as 10m; now by default")
    what = wait.add_mutually_exclusive_group()
    what.add_argument("--code", action="store_true", help="wait for a message with a code, and print the code alone")
    what.add_argument("--link", action="store_true", help="wait for a message with a link, and print the link alone")
    wait.add_argument(
        "--lease", type=parse_given, metavar="ID", help="for a message of this lease, from its beginning on or --after"
    )
    wait.add_argument(
        "--newest",
        action="store_true",
        help="not the oldest match, but the newest once it is quiet: of a code sent twice",
    )
    wait.add_argument(
        "--quiet",
        type=parse_seconds,
        metavar="SECONDS",
        help=f"with --newest: how long nothing must come ({QUIET_SECONDS})",
    )
    _add_filters(wait)


def _add_messages_arguments(messages: argparse.ArgumentParser) -> None:
    messages.add_argument("--limit", type=int, default=20, metavar="COUNT", help="how many at most (20)")
    messages.add_argument("--json", action="store_true", help="one message per line, as JSON")
    _add_filters(messages)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--line", type=parse_given, help="only this number of ours")
    parser.add_argument("--from", dest="sender", metavar="SENDER", help="only from this sender")
    parser.add_argument("--contains", metavar="TEXT", help="only texts that contain this")


COMMANDS = (
    Command("wait", "print the next message (JSON), or its code", run_wait, _add_wait_arguments, means=a_server),
    Command("cursor", "print the cursor of now, for wait --after", run_cursor, means=a_server),
    Command("messages", "list the newest messages", run_messages, _add_messages_arguments, means=a_server),
)
