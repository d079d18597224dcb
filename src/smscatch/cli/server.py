"""What the server's machine runs: the server, the demo, the simulated modem, the keys. Needs the extra `server`."""

import argparse
import asyncio
import contextlib
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from smscatch.cli.base import OK
from smscatch.errors import BadRequest, BadSetting, CannotStart, escape_controls
from smscatch.logs import log_to_stderr
from smscatch.settings import CONFIG_PLACES, Settings, hide_password, load_settings

if TYPE_CHECKING:
    from smscatch.server import Started

SPOOL_SECONDS = 10


def run_demo(options: argparse.Namespace) -> int:
    """smscatch demo."""
    from smscatch.demo import GAMMU_LINE, LINK_LINE, default_places  # noqa: PLC0415 - needs the extra
    from smscatch.demo import run_demo as run  # noqa: PLC0415

    settings = load_settings({"host": options.host, "port": options.port})

    def started(result: "Started") -> None:
        key = load_settings(environ={"SMSCATCH_CONFIG": str(default_places().config)}).key
        wait = urlencode({"line": LINK_LINE, "timeout": 60})
        print(
            f"""
smscatch demo: two lines on two simulated modems.

  {LINK_LINE}  read by our own link
  {GAMMU_LINE}  read by gammu-smsd, which needs some 6 s before its first text

  page   {result.url}/
  key    {key}

In another terminal, wait for a code, in one of these ways:

  {_own_name()} wait --line {LINK_LINE} --code
  curl -u {shlex.quote(f"{key}:")} "{result.url}/api/v1/code?{wait}"

In a third, send one:

  {_own_name()} simulate --line {LINK_LINE} --from Authy "Your Authy code is 482913"

Ctrl-C ends the demo.""",
            flush=True,
        )

    log_to_stderr()
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
            show_key(result.new_admin_key)
        print("\n".join(describe_serving(settings)), flush=True)

    def show_key(key: str) -> None:
        print(f"The administrator's key, shown only now: {key}", flush=True)

    log_to_stderr()
    asyncio.run(serve(settings, started, show_key))
    return OK


def describe_serving(settings: Settings) -> list[str]:
    """Return what a server works with, a line each: what to look at first when texts do not come."""
    places = " or ".join(str(place.absolute()) for place in CONFIG_PLACES)
    lines = [f"line: {number} {line.label or '-'}, {line.reader}" for number, line in settings.lines.items()]
    return [
        f"configuration: {settings.config.absolute() if settings.config else f'none found at {places}'}",
        f"store: {hide_password(settings.store)} (from: {settings.origins['store']})",
        f"spool: {settings.spool} (from: {settings.origins['spool']})",
        *(lines or ["lines: none configured; texts come by HTTP or gammu-smsd's hook, for the numbers they name"]),
    ]


def run_modem(options: argparse.Namespace) -> int:
    """smscatch modem."""
    from smscatch.modem.link import run_link  # noqa: PLC0415 - only where it is needed

    settings = load_settings({"spool": options.spool})
    configured = [number for number, line in settings.lines.items() if line.device == options.device]
    line = settings.line_named(options.line) if options.line else next(iter(configured), None)
    if line is None:
        raise BadSetting(f"Say which number the SIM in {options.device} has: --line +49…, or device in smscatch.toml.")
    pin = settings.lines[line].pin if line in settings.lines else None

    async def run() -> None:
        link = asyncio.ensure_future(run_link(line, Path(options.device), settings.spool, pin=pin))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, link.cancel)
        print(f"smscatch reads {options.device} for {line} into {settings.spool}", flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await link

    log_to_stderr()
    settings.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(run())
    return OK


def run_simulate(options: argparse.Namespace) -> int:
    """smscatch simulate."""
    line = load_settings().line_named(options.line) if options.line else None
    if options.spool:
        return _simulate_into_spool(options.spool, line or "", options)
    from smscatch.demo import LINES, LINK_LINE, default_places  # noqa: PLC0415 - needs the extra
    from smscatch.simulator import tell  # noqa: PLC0415

    line = line or LINK_LINE
    if line not in LINES:
        raise CannotStart(f"The demo has no line {line}; it has: {', '.join(LINES)}. For another server give --spool.")
    control = default_places().control(line)
    if not control.exists():
        raise CannotStart("No demo runs: start one with `smscatch demo`, or give the --spool of another server.")
    tell(control, "deliver", sender=options.sender, text=options.text)
    print(f"sent to {line} as {escape_controls(options.sender)}")
    return OK


def _simulate_into_spool(spool: str, phone_id: str, options: argparse.Namespace) -> int:
    """Run the hook as gammu-smsd does, with the variables that it sets for one SMS."""
    variables = {
        "SMS_MESSAGES": "1",
        "DECODED_PARTS": "0",
        "PHONE_ID": phone_id,
        "SMS_1_NUMBER": _sender_of_gammu(options.sender),
        "SMS_1_CLASS": "-1",
        "SMS_1_REFERENCE": "0",
        "SMS_1_TEXT": options.text,
    }
    from smscatch.modem.gammurc import hook_command  # noqa: PLC0415 - only where it is needed

    if not Path(spool).is_dir():  # the hook would wait for it
        raise CannotStart(f"The spool {spool} is no folder. The server makes it when it starts.")
    try:
        subprocess.run(hook_command(Path(spool)), env=variables, check=True, timeout=SPOOL_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise CannotStart(f"The spool {spool} could not be written within {SPOOL_SECONDS} s.") from error
    print(f"put into {spool}")
    return OK


def _sender_of_gammu(sender: str) -> str:
    """Return `sender` as gammu-smsd 1.42 hands it over: in the septets of the GSM alphabet, as if they were ASCII.

    To a number that makes no difference. Raises BadRequest for a name with a septet 0.
    """
    from smscatch.pdu.alphabets import find_septets  # noqa: PLC0415 - its tables are for this command alone

    septets = find_septets(sender)
    if septets is None:
        return sender
    if 0 in septets:
        raise BadRequest(
            f"The sender {sender!r} cannot come this way: '@' is 0 in the GSM alphabet, and an environment variable, in"
            " which gammu-smsd hands it over, ends there. The demo's modem takes it."
        )
    return septets.decode("ascii")


def _own_name() -> str:
    """Return how the user can call us again from any folder."""
    called = Path(sys.argv[0]).resolve()
    return "smscatch" if shutil.which("smscatch") == str(called) else str(called)
