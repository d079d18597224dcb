"""smscatch on simulated modems, to be tried without any hardware: everything in one folder of its own.

The way of a text is the real one: modem, gammu-smsd, hook, spool, store, page. Only the modem is simulated.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from smscatch.errors import BadSetting, CannotStart
from smscatch.keys import new_secret
from smscatch.modem.gammurc import hook_command, render_gammurc
from smscatch.server import Started, serve
from smscatch.settings import LineSettings, Settings, data_folder, load_settings
from smscatch.simulator import SimulatedModem, StickSettings

# Numbers that Ofcom keeps free for drama: nobody has them (Ofcom, "Telephone numbers for use in TV and radio").
GAMMU_LINE, LINK_LINE = LINES = ("+447700900001", "+447700900002")
RESTART_SECONDS = 3.0


class DemoPlaces(NamedTuple):
    """Where the demo keeps what."""

    folder: Path

    @property
    def config(self) -> Path:
        """The configuration file, in which clients find the URL and the key."""
        return self.folder / "smscatch.toml"

    def modem(self, line: str) -> Path:
        """The folder of a simulated modem."""
        return self.folder / "modems" / line.removeprefix("+")

    def device(self, line: str) -> Path:
        """The port of a simulated modem."""
        return self.modem(line) / "ttyUSB0"

    def control(self, line: str) -> Path:
        """The socket on which a simulated modem takes orders."""
        return self.modem(line) / "control"


def default_places() -> DemoPlaces:
    """Return the places of the demo that other commands look for."""
    return DemoPlaces(data_folder() / "demo")


async def run_demo(settings: Settings, places: DemoPlaces, started: Callable[[Started], None]) -> None:
    """Run the demo as `serve` runs.

    Raises CannotStart if gammu-smsd is missing, if another demo runs in these places, or as `serve` does.
    """
    gammu = shutil.which("gammu-smsd")
    if gammu is None:
        raise CannotStart("The program gammu-smsd is missing. Install it with: apt-get install gammu-smsd")

    def announce(result: Started) -> None:
        _write_config(places, demo_settings, result.url)
        started(result)

    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_only_demo(places))
        demo_settings = _prepare(settings, places)
        test_lines = {}
        for line in LINES:
            modem = SimulatedModem(places.device(line), places.control(line), StickSettings(number=line))
            test_lines[line] = _sender_to(await stack.enter_async_context(modem))
        await stack.enter_async_context(_read_by_gammu(places, GAMMU_LINE, demo_settings.spool, gammu))
        await serve(demo_settings, announce, lambda _: None, test_lines)  # its key is configured


def _sender_to(modem: SimulatedModem) -> Callable[[str, str], Awaitable[None]]:
    """Return what sends a text to a modem: its sender, the text. It raises BadRequest for what no SMS can carry."""

    async def send(sender: str, text: str) -> None:
        await modem.do("deliver", sender=sender, text=text)

    return send


@contextlib.contextmanager
def _only_demo(places: DemoPlaces) -> Iterator[None]:
    """Make the demo's folder, and keep every other demo out of it for as long as the block runs."""
    try:
        places.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (places.folder / "lock").open("w")
    except OSError as error:
        raise CannotStart(f"The demo's folder {places.folder} cannot be written: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(f"A demo already runs here, in {places.folder}: use it, or end it first.") from error
        yield


def _prepare(settings: Settings, places: DemoPlaces) -> Settings:
    """Make the modems' folders; return the settings: those given, with store, spool and lines of the demo's own."""
    try:
        for line in LINES:
            places.modem(line).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The demo's folder {places.folder} cannot be made: {error.strerror}.") from error
    return msgspec.structs.replace(
        settings,
        store=f"sqlite:///{places.folder}/smscatch.db",
        spool=places.folder / "spool",
        admin_key=settings.admin_key or _known_key(places) or new_secret(),
        lines={
            GAMMU_LINE: LineSettings("Line one", phone_id=GAMMU_LINE),
            LINK_LINE: LineSettings("Line two", device=str(places.device(LINK_LINE))),
        },
        origins={},
    )


def _known_key(places: DemoPlaces) -> str | None:
    """Return the key of an earlier run, so that a browser stays signed in."""
    if not places.config.exists():
        return None
    try:
        return load_settings(environ={"SMSCATCH_CONFIG": str(places.config)}).key
    except BadSetting:  # it is about to be written anew
        return None


def _write_config(places: DemoPlaces, settings: Settings, url: str) -> None:
    values = {"url": url, "key": settings.admin_key, "store": settings.store, "spool": str(settings.spool)}
    with contextlib.suppress(FileNotFoundError):
        places.config.unlink()
    descriptor = os.open(places.config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        for name, value in values.items():
            # A JSON string is one of TOML 1.0 too, if only its surrogate pairs are left out.
            file.write(f"{name} = {json.dumps(value, ensure_ascii=False)}\n")


@contextlib.asynccontextmanager
async def _read_by_gammu(places: DemoPlaces, line: str, spool: Path, gammu: str) -> AsyncGenerator[None, None]:
    """A gammu-smsd that reads a simulated modem for as long as the block runs."""
    config = places.modem(line) / "gammu-smsdrc"
    config.write_text(render_gammurc(places.device(line).absolute(), line, hook_command(spool)), encoding="utf-8")
    reading = asyncio.create_task(_keep_reading(gammu, config))
    try:
        yield
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _keep_reading(gammu: str, config: Path) -> None:
    """Run gammu-smsd, and run it again when it ends, as systemd would."""
    # However we end, also by SIGKILL, the kernel ends gammu-smsd too (PR_SET_PDEATHSIG). setpriv is in util-linux.
    setpriv = shutil.which("setpriv")
    bound = (setpriv, "--pdeathsig", "TERM") if setpriv else ()
    while True:
        with (config.parent / "gammu-smsd.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(*bound, gammu, "-c", str(config), "-f", "2"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
                start_new_session=True,  # Ctrl-C is for us; we end gammu-smsd and let it finish its message
            )
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        await asyncio.sleep(RESTART_SECONDS)
