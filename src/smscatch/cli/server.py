"""`smscatch serve` and `modem`: the server, and one link without it. Need the extra `server`."""

import argparse
import contextlib
import signal
from typing import TYPE_CHECKING

import msgspec

from smscatch.cli.base import OK, Command, add_settings
from smscatch.cli.meaning import a_store
from smscatch.devices import DEVICE_FORM, SPEED_FORM, parse_speed
from smscatch.errors import BadSetting
from smscatch.logs import log_to_stderr
from smscatch.settings import CONFIG_PLACES, LineSettings, Settings, hide_password, load_settings
from smscatch.settings.lines import check_engine
from smscatch.settings.tables import whole_name

if TYPE_CHECKING:
    from smscatch.server import Started


def run_serve(options: argparse.Namespace) -> int:
    """smscatch serve."""
    import asyncio  # noqa: PLC0415 - most commands do without

    from smscatch.server import serve  # noqa: PLC0415 - needs the extra
    from smscatch.settings.supervision import find_supervisor  # noqa: PLC0415 - other commands have none

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
    asyncio.run(serve(settings, started, show_key, supervisor=find_supervisor()))
    return OK


def describe_serving(settings: Settings) -> list[str]:
    """Return what a server works with, a line each: what to look at first when texts do not come."""
    places = " or ".join(str(place.absolute()) for place in CONFIG_PLACES)
    readers = {
        number: line.reader(has_smstools=settings.smstools is not None) for number, line in settings.lines.items()
    }
    lines = [f"line: {number} {settings.lines[number].label or '-'}, {reader}" for number, reader in readers.items()]
    return [
        f"configuration: {settings.config.absolute() if settings.config else f'none found at {places}'}",
        f"store: {hide_password(settings.store)} (from: {settings.origins['store']})",
        f"spool: {settings.spool} (from: {settings.origins['spool']})",
        *(lines or ["lines: none configured; texts come by HTTP or gammu-smsd's hook, for the numbers they name"]),
    ]


def run_modem(options: argparse.Namespace) -> int:
    """smscatch modem."""
    import asyncio  # noqa: PLC0415 - most commands do without

    from smscatch.engines import reader_of  # noqa: PLC0415 - only where it is needed

    settings = load_settings({"spool": options.spool})
    number = _number_of(options, settings)
    line = settings.lines.get(number, LineSettings())
    given = {name: value for name in ("device", "baud") if (value := getattr(options, name)) is not None}
    line = check_engine(whole_name("lines", number), msgspec.structs.replace(line, **given))
    read = reader_of(number, line, settings.spool)

    async def run() -> None:
        reading = asyncio.ensure_future(read())
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, reading.cancel)
        print(f"smscatch reads {line.device} for {number} into {settings.spool}", flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await reading

    log_to_stderr()
    settings.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(run())
    return OK


def _number_of(options: argparse.Namespace, settings: Settings) -> str:
    """Return the line that is meant, by its number or by its device. Raises BadSetting."""
    configured = [number for number, line in settings.lines.items() if line.device == options.device is not None]
    number = settings.line_named(options.line) if options.line else next(iter(configured), None)
    if number is None and options.device:
        raise BadSetting(f"Say which number the SIM in {options.device} has: --line +49…, or device in smscatch.toml.")
    if number is None or not (options.device or settings.lines.get(number, LineSettings()).device):
        raise BadSetting("Say where the modem is: --device, or --line with a line of smscatch.toml that has a device.")
    return number


def _add_serve_arguments(serve: argparse.ArgumentParser) -> None:
    add_settings(serve, "host", "port", "spool")


def _speed(text: str) -> int:
    try:
        return parse_speed(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not accepted: give {SPEED_FORM}") from None


def _add_modem_arguments(modem: argparse.ArgumentParser) -> None:
    modem.add_argument("--device", help=f"its port, by default that of the line in smscatch.toml: {DEVICE_FORM}")
    modem.add_argument("--baud", type=_speed, help=f"its speed, if it is not to be found out: {SPEED_FORM}")
    modem.add_argument("--line", help="the SIM's number; by default the line that has this device in smscatch.toml")
    add_settings(modem, "spool")


COMMANDS = (
    Command("serve", "run the server", run_serve, _add_serve_arguments, means=a_store),
    Command("modem", "read one modem into the spool, without a server", run_modem, _add_modem_arguments),
)
