"""`smscatch catch` without a COMMAND: a server for what an application sends, with nothing to set up."""

import argparse
import os
import secrets
import signal
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from smscatch.cli.base import OK
from smscatch.errors import BadRequest
from smscatch.redirecting import TARGETS, redirect_lines, smpp_lines
from smscatch.settings import Settings, load_settings
from smscatch.settings.forms import show_codes
from smscatch.settings.sinks import EMULATOR, SinkSettings, parse_serial

if TYPE_CHECKING:
    from smscatch.server import Started

OWNER_SECONDS = 1.0  # between two looks whether the process lives that the server is for
# What a lease names matters not: any label stands for virtual lines, so that the tests are the same as with a SIM.
VIRTUAL: dict[str, str | None] = {"virtual_default": "true", "virtual_labels": "*"}


def serve_catcher(options: argparse.Namespace) -> int:
    """Run a server in a folder of its own, which goes with it, until Ctrl-C, or until the process `until` has ended.

    It prints the page's address, a key, and how to point an SDK at it. With `emulator`, texts are typed into one.
    """
    import asyncio  # noqa: PLC0415 - most commands do without

    from smscatch.logs import log_to_stderr  # noqa: PLC0415
    from smscatch.server import serve  # noqa: PLC0415 - needs the extra

    with tempfile.TemporaryDirectory(prefix="smscatch-catch-") as folder:
        settings = settings_of(folder, options.host, options.port, options.smpp_port)
        if options.emulator is not None:
            settings = msgspec.structs.replace(settings, sinks=_emulator_sink(options.emulator))

        def started(result: "Started") -> None:
            smpp = (result.smpp_url or "", settings.smpp_server_system_id, settings.smpp_server_password or "")
            print(describe(result.url, settings.admin_key or "", smpp_lines(*smpp)), flush=True)

        async def run() -> None:
            watching = None if options.until is None else asyncio.create_task(_end_with(options.until))
            await serve(settings, started, _show_nothing)
            if watching is not None:
                watching.cancel()

        log_to_stderr()
        asyncio.run(run())
    return OK


def _show_nothing(_: str) -> None:
    """The administrator's key is the one of the settings."""


def _emulator_sink(serial: str) -> dict[str, SinkSettings]:
    """Return the sink for an emulator, the only one that runs if `serial` is empty. Raises BadRequest."""
    try:
        return {EMULATOR: SinkSettings(EMULATOR, serial=parse_serial(serial) if serial else "")}
    except ValueError:
        raise BadRequest(
            f"--emulator {serial}: that is no emulator. Give one as `adb devices` lists it, such as emulator-5554."
        ) from None


def settings_of(folder: str, host: str | None, port: str | None, smpp_port: str | None) -> Settings:
    """Return what the command line says, else the environment, but for the store and the spool, which are its own.

    A configuration file is another server's: of it only what clients read there is heeded, the key and the fixed codes.
    """
    users = load_settings(for_client=True)
    given = VIRTUAL | {"host": host, "port": port, "smpp_server_port": smpp_port}
    given |= {"store": f"sqlite:///{folder}/smscatch.db", "spool": f"{folder}/spool"}
    given |= {"admin_key": users.key, "virtual_codes": show_codes(users.virtual_codes)}
    defaults = {
        "admin_key": secrets.token_urlsafe(24),
        "smpp_server_port": "0",
        "smpp_server_password": secrets.token_urlsafe(6),  # SMPP has room for 8 characters
    }
    settings = load_settings(given, {**os.environ, "SMSCATCH_CONFIG": os.devnull}, defaults=defaults)
    if settings.origins["smpp_server_host"] != "default":
        return settings
    return msgspec.structs.replace(settings, smpp_server_host=settings.host)


async def _end_with(owner: int) -> None:
    """End this process as SIGTERM does when another one has ended."""
    import asyncio  # noqa: PLC0415 - most commands do without

    while _lives(owner):  # noqa: ASYNC110 - it is another process, which tells nobody
        await asyncio.sleep(OWNER_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


def describe(url: str, key: str, smpp: Sequence[str]) -> str:
    """Return what a user needs of a server that catches; `smpp` are the lines for those who send by SMPP."""
    lines = [*(line for provider in TARGETS for line in redirect_lines(url, key, provider)), *smpp]
    send_apis = "\n".join(f"  {line}" for line in lines)
    return f"""
smscatch catches what your application sends. Nothing leaves this machine, and all is gone when this ends.

  page   {url}/
  key    {key}

Point your application's SDK here:

{send_apis}

Your tests find it by

  export SMSCATCH_URL={url} SMSCATCH_KEY={key}

Ctrl-C ends it."""
