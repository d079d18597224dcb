"""Our link beside gammu-smsd: how long a text takes from the SIM into the spool, and how fast a full SIM is emptied.

python benchmarks/link.py. Both read a simulated modem, in processes of their own, and are measured in one run: the
ratios carry over to other machines, the times do not. Needs gammu-smsd.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from smscatch import hook
from smscatch.modem.gammurc import render_gammurc
from smscatch.simulator import tell
from smscatch.spool import SUFFIX, Spool

PATIENCE_SECONDS = 120.0
LINK = "import asyncio,sys;from pathlib import Path;from smscatch.modem.link import run_link;"
LINK += "asyncio.run(run_link('line', Path(sys.argv[1]), Path(sys.argv[2])))"

Engine = Callable[[Path, Path], list[str]]


def link(device: Path, spool: Path) -> list[str]:
    """Return the command that reads `device` into `spool` with our link."""
    return [sys.executable, "-c", LINK, str(device), str(spool)]


def gammu(device: Path, spool: Path) -> list[str]:
    """Return the same with gammu-smsd and our hook, set up for speed."""
    command = [sys.executable, "-I", "-S", "-E", hook.__file__, "--spool", str(spool)]
    rc = device.with_name("rc")
    rc.write_text(render_gammurc(device, "line", command), encoding="utf-8")
    return ["gammu-smsd", "-c", str(rc), "-f", "2"]


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[None]:
    """Run a command while the block runs."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"LC_ALL": "C.UTF-8"}
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def a_modem(folder: Path, slots: int) -> Iterator[tuple[Path, Path]]:
    """Run a simulated modem while the block runs; yield its device and its control socket."""
    device, control = folder / "tty", folder / "control"
    options = ["--device", str(device), "--control", str(control), "--slots", str(slots)]
    with running([sys.executable, "-m", "smscatch.simulator", *options]):
        wait_until(control.exists)
        yield device, control


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return when it is so, looking without pause. Raises TimeoutError."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.0002)


def entries(spool: Path) -> list[Path]:
    """Return what is in the spool."""
    return [path for path in spool.iterdir() if path.suffix == SUFFIX]


def latencies(engine: Engine, count: int) -> list[float]:
    """Return the seconds from the text's arrival on the SIM until it is durable in the spool, for each of `count`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spool = Spool(folder / "spool").folder
        with a_modem(folder, 20) as (device, control), running(engine(device, spool)):
            tell(control, "deliver", sender="Authy", text="the first one waits for the start")
            tell(control, "wait", until="empty")
            found = []
            for number in range(count):
                time.sleep(0.1 + number % 10 * 0.097)  # at all phases of whatever interval the engine has
                before, start = len(entries(spool)), time.perf_counter()
                tell(control, "deliver", sender="Authy", text=f"code {number}")
                wait_until(lambda before=before: len(entries(spool)) > before)  # type: ignore[misc]
                found.append(time.perf_counter() - start)
                tell(control, "wait", until="empty")
            return found


def drain_rate(engine: Engine, count: int) -> float:
    """Return the texts per second at which a SIM with `count` texts is emptied, from the first to the last."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spool = Spool(folder / "spool").folder
        with a_modem(folder, count) as (device, control):
            for number in range(count):
                tell(control, "deliver", sender="Authy", text=f"code {number}")
            with running(engine(device, spool)):
                tell(control, "wait", until="empty", timeout=PATIENCE_SECONDS)
            times = sorted(path.stat().st_mtime_ns for path in entries(spool))
            assert len(times) == count
            return (count - 1) / ((times[-1] - times[0]) / 1e9)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latencies", type=int, default=20)
    parser.add_argument("--texts", type=int, default=200)
    given = parser.parse_args()
    engines: dict[str, Engine] = {"link": link, "gammu-smsd": gammu}
    times = {name: latencies(engine, given.latencies) for name, engine in engines.items()}
    rates = {name: drain_rate(engine, given.texts) for name, engine in engines.items()}
    print(f"{'':12}{'SIM -> spool, median':>22}{'max':>10}{f'{given.texts} waiting':>16}")
    for name, found in times.items():
        print(f"{name:12}{statistics.median(found) * 1e3:19.1f} ms{max(found) * 1e3:7.1f} ms{rates[name]:12.0f}/s")
    latency = statistics.median(times["gammu-smsd"]) / statistics.median(times["link"])
    rate = rates["link"] / rates["gammu-smsd"]
    print(f"link : gammu-smsd = {latency:.1f} times as quick for one text, {rate:.1f} times as fast for many")


if __name__ == "__main__":
    main()
