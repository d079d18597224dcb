"""What a test project's machine runs: waiting, looking, explaining. Needs the base install only."""

import argparse
import contextlib
import json
import sys
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from smscatch.cli.base import NOTHING, OK
from smscatch.cli.keeping import heeding, leave, run_with
from smscatch.cli.meaning import find_server
from smscatch.client.calls import WaitFilters
from smscatch.client.leased import LeaseFilters
from smscatch.client.sync import Client, LeasedLine, LeasedLines
from smscatch.errors import BadRequest, BadSetting, escape_controls
from smscatch.messages import Line, Message, encode_message, format_time
from smscatch.printing import blank_controls
from smscatch.settings import TABLES, load_settings


def run_wait(options: argparse.Namespace) -> int:
    """smscatch wait."""
    with _client(options) as client:
        print(_wait(client, options) if options.lease is None else _wait_leased(client, options))
    return OK


def _wait(client: Client, options: argparse.Namespace) -> str:
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


def _wait_leased(client: Client, options: argparse.Namespace) -> str:
    if options.line is not None:
        raise BadRequest("Give --lease or --line, not both: a lease is of one line.")
    phone = client.leased(options.lease, options.after)
    filters = LeaseFilters(sender=options.sender, contains=options.contains, newest=options.newest, quiet=options.quiet)
    if options.code:
        return phone.wait_for_code(timeout=options.timeout, **filters)
    if options.link:
        return _link(phone.wait_for_link(timeout=options.timeout, **filters))
    return _json(phone.wait_for_message(timeout=options.timeout, **filters))


def run_cursor(options: argparse.Namespace) -> int:
    """smscatch cursor."""
    with _client(options) as client:
        print(client.cursor())
    return OK


def run_messages(options: argparse.Namespace) -> int:
    """smscatch messages."""
    with _client(options) as client:
        found = client.messages(
            line=options.line, sender=options.sender, contains=options.contains, limit=options.limit
        )
    for message in found:
        print(_json(message) if options.json else _one_line(message))
    return OK if found else NOTHING


def run_lines(options: argparse.Namespace) -> int:
    """smscatch lines."""
    with _client(options) as client:
        lines = client.lines()
    for line in lines:
        last = format_time(line.last_received_at) if line.last_received_at else "never"
        count = "1 message" if line.messages == 1 else f"{line.messages} messages"
        print(blank_controls(f"{line.number}  {line.label or '-'}  {count}, last {last}{_modem(line)}{_strange(line)}"))
    return OK if lines else NOTHING


def run_leases(options: argparse.Namespace) -> int:
    """smscatch leases."""
    with _client(options) as client:
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
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    with _client(options) as client, heeding(leave):
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


def _lease(client: Client, options: argparse.Namespace) -> LeasedLine | LeasedLines:
    ask = partial(
        client.lease, options.line, label=options.label, holder=options.holder, ttl=options.ttl, wait=options.wait
    )
    return ask() if options.count is None else ask(count=options.count)


def _lease_facts(phone: LeasedLine) -> dict[str, Any]:
    facts = {"id": phone.id, "line": phone.number, "label": phone.label, "cursor": phone.cursor}
    return facts | {"expires_at": format_time(phone.expires_at)}


def _group_facts(phones: LeasedLines) -> dict[str, Any]:
    leases = [_lease_facts(phone) for phone in phones]
    return {"id": phones.id, "expires_at": format_time(phones.expires_at), "leases": leases}


def run_release(options: argparse.Namespace) -> int:
    """smscatch release."""
    with _client(options) as client:
        client.leased_group(options.id).release()
    return OK


def _strange(line: Line) -> str:
    return ", unconfigured: it is not in the server's smscatch.toml" if line.unconfigured else ""


def _modem(line: Line) -> str:
    """Return how the line's modem is, in a few words, if a link of ours reads it."""
    if line.modem is None:
        return ""
    signal = line.modem["signal_percent"]
    heard = "" if signal is None else f", signal {signal} %"
    return f", modem {line.modem['state']}{heard}" + (f": {line.modem['error']}" if line.modem["error"] else "")


def run_config(options: argparse.Namespace) -> int:
    """smscatch config."""
    settings = load_settings()
    for name, field, shown in settings.rows():
        origin = settings.origins.get(name, "default")
        print(escape_controls(f"{name} = {shown}") + f"\n    {field.help}; takes {field.form}; from: {origin}")
    for name, table in TABLES.items():
        if not getattr(settings, name):
            print(f"{table.header}: none\n    {table.help}; takes {table.form}")
    return OK


def run_explain(options: argparse.Namespace) -> int:
    """smscatch explain."""
    from smscatch.codes import describe, find_codes  # noqa: PLC0415 - its tables would cost each `wait` 27 ms

    reading = find_codes(options.text)
    for line in describe(reading).splitlines():
        print(blank_controls(line))
    return OK if reading.code else NOTHING


def _client(options: argparse.Namespace) -> Client:
    """Return a client for the server that is meant."""
    return Client(*find_server(options.url, _read_key(options.key_file)))


def _read_key(path: str | None) -> str | None:
    """Return the key in the first line of a file; `-` is standard input. Raises BadSetting if it cannot be read."""
    if path is None:
        return None
    try:
        with contextlib.nullcontext(sys.stdin) if path == "-" else open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"--key-file {path!r} cannot be read: {error}.") from error


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
