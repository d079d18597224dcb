"""The command line: reads arguments, calls, prints. Nothing is decided here.

The commands for clients work with the base install; those of the server import what the extra `server` brings.
"""

import argparse
import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smscatch import __version__, hook
from smscatch.client import Client
from smscatch.codes import describe, find_codes
from smscatch.errors import BadSetting, CannotStart, NoMessage, SmscatchError
from smscatch.messages import Message, encode_message, format_time
from smscatch.numbers import canonical_number
from smscatch.settings import FIELDS, Settings, data_folder, load_settings

if TYPE_CHECKING:
    from smscatch.inbox import Inbox
    from smscatch.server import Started

OK, NOTHING, WRONG_USE, FAILED = range(4)
SPOOL_SECONDS = 10
DEMO_CONFIG = data_folder() / "demo" / "smscatch.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status: 0 done, 1 nothing found, 2 wrong use or setting, 3 failed."""
    options = make_parser().parse_args(argv)
    try:
        result: int = options.run(options)
    except NoMessage as error:
        print(error, file=sys.stderr)
        result = NOTHING
    except BadSetting as error:
        print(f"smscatch: {error}", file=sys.stderr)
        result = WRONG_USE
    except SmscatchError as error:
        print(f"smscatch: {error}", file=sys.stderr)
        result = FAILED
    except ModuleNotFoundError as error:
        print(f"smscatch: {error.name} is missing: pip install 'smscatch[server]'", file=sys.stderr)
        result = FAILED
    except (KeyboardInterrupt, BrokenPipeError):
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

    demo = command("demo", run_demo, "run smscatch on two simulated modems, in a folder of its own")
    serve = command("serve", run_serve, "run the server")
    for each in (demo, serve):
        each.add_argument("--host", help=FIELDS["host"].help)
        each.add_argument("--port", help=FIELDS["port"].help)
    serve.add_argument("--store", help=FIELDS["store"].help)
    serve.add_argument("--spool", help=FIELDS["spool"].help)

    simulate = command("simulate", run_simulate, "send an SMS through the demo's modem, or into a spool")
    simulate.add_argument("--line", help="the number that it is for; the demo's first by default")
    simulate.add_argument("--from", dest="sender", default="Authy", metavar="SENDER")
    simulate.add_argument("--spool", help="put it straight into this spool, as gammu-smsd's hook would")
    simulate.add_argument("text", metavar="TEXT")

    wait = command("wait", run_wait, "print the next message (JSON), or its code")
    wait.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    wait.add_argument("--after", help="a cursor, a time or an age such as 10m; now by default")
    wait.add_argument("--code", action="store_true", help="wait for a message with a code, and print the code alone")
    messages = command("messages", run_messages, "list the newest messages")
    messages.add_argument("--limit", type=int, default=20)
    messages.add_argument("--json", action="store_true", help="one message per line, as JSON")
    for each in (wait, messages):
        each.add_argument("--line", help="only this number of ours")
        each.add_argument("--from", dest="sender", metavar="SENDER", help="only from this sender")
        each.add_argument("--contains", metavar="TEXT", help="only texts that contain this")
    lines = command("lines", run_lines, "list our numbers")
    for each in (wait, messages, lines):
        each.add_argument("--url", help=FIELDS["url"].help)
        each.add_argument("--key", help=FIELDS["key"].help)

    _add_keys(command("keys", run_keys, "make, list and revoke API keys"))
    command("config", run_config, "show every setting, its value and where it came from")
    explain = command("explain", run_explain, "show which code is in a text, and why")
    explain.add_argument("text", metavar="TEXT")
    return parser


def _add_keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", help=FIELDS["store"].help)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a key; its secret is printed once")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--scope", default="read", help="comma-separated: read, lease, ingest, admin (read by default)")
    add.add_argument("--line", action="append", help="only for this line; may be repeated")
    actions.add_parser("list", help="list the keys, without their secrets")
    actions.add_parser("revoke", help="make a key worthless").add_argument("id", metavar="ID")


def run_demo(options: argparse.Namespace) -> int:
    """smscatch demo."""
    from smscatch.demo import LINES, default_places  # noqa: PLC0415 - needs the extra
    from smscatch.demo import run_demo as run  # noqa: PLC0415

    settings = load_settings({"host": options.host, "port": options.port})
    first = next(iter(LINES))

    def started(result: "Started") -> None:
        print(
            f"""
smscatch demo: two lines on two simulated modems, read by gammu-smsd.

  page   {result.url}/
  key    {load_settings(environ={"SMSCATCH_CONFIG": str(default_places().config)}).key}

In another terminal, wait for a code, and send one (the first text takes gammu-smsd some 6 s):

  {_own_name()} wait --line {first} --code
  {_own_name()} simulate --line {first} --from Authy "Your Authy code is 482913"

Ctrl-C ends the demo.""",
            flush=True,
        )

    _log_to_stderr()
    asyncio.run(run(settings, default_places(), started))
    return OK


def run_serve(options: argparse.Namespace) -> int:
    """smscatch serve."""
    from smscatch.server import serve  # noqa: PLC0415 - needs the extra

    names = ("host", "port", "store", "spool")
    settings = load_settings({name: getattr(options, name) for name in names})

    def started(result: "Started") -> None:
        print(f"smscatch listens on {result.url}", flush=True)
        if result.new_admin_key:
            print(f"The administrator's key, shown only now: {result.new_admin_key}", flush=True)

    _log_to_stderr()
    asyncio.run(serve(settings, started))
    return OK


def run_simulate(options: argparse.Namespace) -> int:
    """smscatch simulate."""
    line = canonical_number(options.line) if options.line else None
    if options.spool:
        return _simulate_into_spool(options.spool, line or "", options)
    from smscatch.demo import LINES, default_places  # noqa: PLC0415 - needs the extra
    from smscatch.modem.simulator import tell  # noqa: PLC0415

    line = line or next(iter(LINES))
    if line not in LINES:
        raise CannotStart(f"The demo has no line {line}; it has: {', '.join(LINES)}. For another server give --spool.")
    tell(default_places().control(line), "deliver", sender=options.sender, text=options.text)
    print(f"sent to {line} as {options.sender}")
    return OK


def _simulate_into_spool(spool: str, phone_id: str, options: argparse.Namespace) -> int:
    """Run the hook as gammu-smsd does, with the variables that it sets for one SMS."""
    variables = {
        "SMS_MESSAGES": "1",
        "DECODED_PARTS": "0",
        "PHONE_ID": phone_id,
        "SMS_1_NUMBER": options.sender,
        "SMS_1_CLASS": "-1",
        "SMS_1_REFERENCE": "0",
        "SMS_1_TEXT": options.text,
    }
    command = [sys.executable, "-I", "-S", "-E", str(Path(hook.__file__)), "--spool", spool]
    if not Path(spool).is_dir():  # the hook would wait for it
        raise CannotStart(f"The spool {spool} is no folder. The server makes it when it starts.")
    try:
        subprocess.run(command, env=variables, check=True, timeout=SPOOL_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise CannotStart(f"The spool {spool} could not be written within {SPOOL_SECONDS} s.") from error
    print(f"put into {spool}")
    return OK


def run_wait(options: argparse.Namespace) -> int:
    """smscatch wait."""
    filters = {"line": options.line, "sender": options.sender, "contains": options.contains, "after": options.after}
    with _client(options) as client:
        if options.code:
            print(client.wait_for_code(**filters, timeout=options.timeout))
        else:
            print(_json(client.wait_for_message(**filters, timeout=options.timeout)))
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
        print(f"{line.number}  {line.label or '-'}  {line.messages} messages, last {last}")
    return OK if lines else NOTHING


def run_keys(options: argparse.Namespace) -> int:
    """smscatch keys: works on the store itself, so it needs no server and no key."""
    from smscatch.inbox import Inbox  # noqa: PLC0415 - needs the extra
    from smscatch.stores import open_store  # noqa: PLC0415

    actions = {"add": _add_key, "list": _list_keys, "revoke": _revoke_key}

    async def run() -> int:
        store = await open_store(load_settings({"store": options.store}).store)
        try:
            return await actions[options.action](await Inbox.open(store), options)
        finally:
            await store.close()

    return asyncio.run(run())


async def _add_key(inbox: "Inbox", options: argparse.Namespace) -> int:
    from smscatch.web.auth import add_key  # noqa: PLC0415 - needs the extra

    scopes = tuple(scope.strip() for scope in options.scope.split(","))
    lines = tuple(canonical_number(line) for line in options.line) if options.line else None
    key, secret = await add_key(inbox, options.name, scopes, lines)
    print(f"{secret}\n\nThis is the key {key.name!r} (id {key.id}); it is not shown again.", flush=True)
    return OK


async def _list_keys(inbox: "Inbox", options: argparse.Namespace) -> int:
    for key in await inbox.store.keys():
        lines = ", ".join(key.lines) if key.lines else "all lines"
        print(f"{key.id}  {key.name}  {','.join(key.scopes)}  {lines}  since {format_time(key.created_at)}")
    return OK


async def _revoke_key(inbox: "Inbox", options: argparse.Namespace) -> int:
    if await inbox.store.revoke_key(options.id):
        print(f"revoked {options.id}")
        return OK
    print(f"There is no key with the id {options.id!r}; `smscatch keys list` shows them.", file=sys.stderr)
    return NOTHING


def run_config(options: argparse.Namespace) -> int:
    """smscatch config."""
    settings = load_settings()
    for name, field in FIELDS.items():
        value = getattr(settings, name)
        shown = "(set)" if field.is_secret and value else value
        print(f"{name} = {shown}  [{settings.origins[name]}]  {field.help}; takes {field.form}")
    for number, line in settings.lines.items():
        print(f"line {number}: label {line.label!r}, device {line.device}, phone_id {line.phone_id}")
    return OK


def run_explain(options: argparse.Namespace) -> int:
    """smscatch explain."""
    reading = find_codes(options.text)
    print(describe(reading))
    return OK if reading.code else NOTHING


def _client(options: argparse.Namespace) -> Client:
    """Return a client for the server that the settings name, else for the demo, if one ran here."""
    settings = load_settings({"url": options.url, "key": options.key})
    if settings.key is None and settings.origins["url"] == "default" and DEMO_CONFIG.exists():
        print("(the demo's server; set SMSCATCH_URL and SMSCATCH_KEY for another)", file=sys.stderr)
        settings = load_settings(environ={"SMSCATCH_CONFIG": str(DEMO_CONFIG)})
    return _client_of(settings)


def _client_of(settings: Settings) -> Client:
    if settings.key is None:
        raise BadSetting(f"No key is set for the server at {settings.url}: set SMSCATCH_KEY, or give --key.")
    return Client(settings.url, settings.key)


def _json(message: Message) -> str:
    return encode_message(message).decode()


def _one_line(message: Message) -> str:
    # A text is data: no line feed or escape sequence of its own reaches the terminal.
    text = "".join(character if character.isprintable() else " " for character in f"{message.sender}: {message.text}")
    return f"{format_time(message.received_at)}  {message.line}  {message.code or '-':8}  {text}"


def _own_name() -> str:
    """Return how the user can call us again."""
    called = Path(sys.argv[0])
    return "smscatch" if called.parent.as_posix() in os.environ.get("PATH", "").split(":") else str(called)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
