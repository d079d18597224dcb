"""`smscatch keys`: the keys in the store itself, so that this needs no server and no key."""

import argparse
import sys
from typing import TYPE_CHECKING

from smscatch.cli.base import NOTHING, OK, Command
from smscatch.cli.meaning import a_store
from smscatch.cli.store import with_store
from smscatch.errors import BadRequest
from smscatch.numbers import is_e164
from smscatch.printing import blank_controls
from smscatch.settings import load_settings
from smscatch.times import format_time

if TYPE_CHECKING:
    from smscatch.inbox import Inbox
    from smscatch.stores import Store


def run_keys(options: argparse.Namespace) -> int:
    """smscatch keys."""
    from smscatch.inbox import Inbox  # noqa: PLC0415 - needs the extra

    actions = {"add": _add_key, "list": _list_keys, "revoke": _revoke_key}

    async def act(store: "Store") -> int:
        return await actions[options.action](await Inbox.open(store), options)

    return with_store(options, act, is_new=options.action == "add")


async def _add_key(inbox: "Inbox", options: argparse.Namespace) -> int:
    from smscatch.keys import add_key  # noqa: PLC0415 - needs the extra

    lines = tuple(load_settings().line_named(line) for line in options.line) if options.line else None
    for line in lines or ():
        if not is_e164(line):
            raise BadRequest(f"--line {line!r} is no number in E.164, such as +4915112345678.")
    if options.smpp:
        return await _add_smpp_key(inbox, options, lines)
    scopes = tuple(scope.strip() for scope in (options.scope or "read").split(","))
    key, secret = await add_key(inbox, options.name, scopes, lines)
    print(secret, flush=True)  # alone, so that a script can take it
    print(f"The key {key.name!r} has the id {key.id}; it is shown only now.", file=sys.stderr)
    return OK


async def _add_smpp_key(inbox: "Inbox", options: argparse.Namespace, lines: tuple[str, ...] | None) -> int:
    from smscatch.smppkeys import add_smpp_key  # noqa: PLC0415 - needs the extra

    if options.scope not in (None, "send"):
        raise BadRequest("A key for SMPP has the scope send, and no other: leave out --scope.")
    key, password = await add_smpp_key(inbox, options.name, lines)
    print(key.id, password, flush=True)  # alone, so that a script can take them
    print(
        f"The key {key.name!r} binds with the system_id {key.id} and that password, which is shown only now.",
        file=sys.stderr,
    )
    return OK


async def _list_keys(inbox: "Inbox", options: argparse.Namespace) -> int:
    for key in await inbox.store.keys():
        lines = ", ".join(key.lines) if key.lines else "all lines"
        facts = f"{key.id}  {key.name}  {','.join(key.scopes)}  {lines}  since {format_time(key.created_at)}"
        print(blank_controls(facts))
    return OK


async def _revoke_key(inbox: "Inbox", options: argparse.Namespace) -> int:
    from smscatch.leases import Leases  # noqa: PLC0415
    from smscatch.rights import end_forfeited  # noqa: PLC0415 - needs the extra

    settings = load_settings({"store": options.store})
    if await inbox.store.revoke_key(options.id):
        await end_forfeited(Leases(inbox, settings.lease_rest, settings.lease_tolerance), inbox)
        print(f"revoked {options.id}")
        return OK
    print(f"There is no key with the id {options.id!r}; `smscatch keys list` shows them.", file=sys.stderr)
    return NOTHING


def _add_keys_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a key; its secret is printed once")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--scope", help="comma-separated: read, lease, ingest, send, admin (read by default)")
    add.add_argument(
        "--smpp", action="store_true", help="for an application that sends by SMPP: print a system_id and a password"
    )
    add.add_argument("--line", action="append", help="only for this line; may be repeated")
    actions.add_parser("list", help="list the keys, without their secrets")
    actions.add_parser("revoke", help="make a key worthless").add_argument("id", metavar="ID")


COMMANDS = (Command("keys", "make, list and revoke API keys", run_keys, _add_keys_arguments, means=a_store),)
