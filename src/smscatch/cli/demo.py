"""`smscatch demo` and `simulate`: two lines without a modem, and texts for them. Need the extra `server`."""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from smscatch.cli.base import OK, Command, add_settings
from smscatch.errors import BadRequest, CannotStart, escape_controls
from smscatch.logs import log_to_stderr
from smscatch.settings import load_settings

if TYPE_CHECKING:
    from smscatch.server import Started

SPOOL_SECONDS = 10


def run_demo(options: argparse.Namespace) -> int:
    """smscatch demo."""
    import asyncio  # noqa: PLC0415 - most commands do without

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


def _own_name() -> str:
    """Return how the user can call us again from any folder."""
    called = Path(sys.argv[0]).resolve()
    return "smscatch" if shutil.which("smscatch") == str(called) else str(called)


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


def _add_demo_arguments(demo: argparse.ArgumentParser) -> None:
    add_settings(demo, "host", "port")


def _add_simulate_arguments(simulate: argparse.ArgumentParser) -> None:
    simulate.add_argument("--line", help="the number that it is for; by default the demo's that our link reads")
    simulate.add_argument("--from", dest="sender", default="Authy", metavar="SENDER", help="a number or a name (Authy)")
    simulate.add_argument("--spool", help="put it straight into this spool, as gammu-smsd's hook would")
    simulate.add_argument("text", metavar="TEXT")


COMMANDS = (
    Command("demo", "run smscatch on two simulated modems, in a folder of its own", run_demo, _add_demo_arguments),
    Command(
        "simulate",
        "send an SMS through the demo's modem, or into a spool",
        run_simulate,
        _add_simulate_arguments,
    ),
)
