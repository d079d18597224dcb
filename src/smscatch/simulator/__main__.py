"""A simulated modem as a process of its own: `python -m smscatch.simulator`."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from smscatch.errors import SmscatchError
from smscatch.simulator import SimulatedModem, StickSettings
from smscatch.simulator.manners import MANNERS


async def simulate(device: Path, control: Path | None, settings: StickSettings) -> None:
    """Run a simulated modem until SIGTERM or SIGINT; a line on stdout says when it is ready."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with SimulatedModem(device, control, settings):
        sys.stdout.write(f"simulated modem at {device}\n")
        sys.stdout.flush()
        await ended.wait()


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line. Exits with a usage message if they are wrong."""
    standard = StickSettings()
    parser = argparse.ArgumentParser(prog="python -m smscatch.simulator", description="A simulated modem for tests")
    parser.add_argument("--device", type=Path, required=True, help="the link to make, as /dev/ttyUSB0 would be")
    parser.add_argument("--control", type=Path, help="the unix socket to take orders on")
    parser.add_argument("--slots", type=int, default=standard.slots, help="texts that fit on the SIM")
    parser.add_argument("--pin", help="the PIN that the SIM asks for (none by default)")
    parser.add_argument(
        "--manner", dest="manners", action="append", choices=MANNERS, help="a manner of its own; may be repeated"
    )
    for name in ("puk", "imsi", "imei", "number"):
        parser.add_argument(f"--{name}", default=getattr(standard, name))
    return parser.parse_args(arguments)


def main() -> None:
    """Run the command line."""
    given = vars(parse_arguments())
    device, control = given.pop("device"), given.pop("control")
    given["manners"] = frozenset(given["manners"] or ())
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(simulate(device, control, StickSettings(**given)))
    except SmscatchError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
