"""What reads the modem of a line, by the `engine` in its settings; all share spool, journal and health with our link.

An engine is one function here, which loads its module when a line has it, and one line in _READERS.
"""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Never

from smscatch.errors import CannotStart
from smscatch.settings import LineSettings
from smscatch.settings.lines import HILINK, LINK, MODEMMANAGER

Reader = Callable[[], Coroutine[None, None, Never]]


def reader_of(number: str, line: LineSettings, spool: Path) -> Reader:
    """Return what puts the texts of a line that has a `device` into `spool`, until cancelled.

    Raises CannotStart if a package is missing that its engine needs.
    """
    return _READERS[line.engine](number, line, spool)


def _link(number: str, line: LineSettings, spool: Path) -> Reader:
    from smscatch.modem.link import run_link  # noqa: PLC0415 - a line of another engine does without
    from smscatch.modem.ports import PortSettings  # noqa: PLC0415
    from smscatch.modem.selftest import SelfTestSettings  # noqa: PLC0415

    port, test = PortSettings(_device(line), line.baud), SelfTestSettings(line.self_test, line.self_test_radio)
    return partial(run_link, number, port, spool, pin=line.pin, self_test=test)


def _modemmanager(number: str, line: LineSettings, spool: Path) -> Reader:
    with _package("dbus_fast", line.engine):
        from smscatch.engines.modemmanager import ManagerSettings, run_manager  # noqa: PLC0415 - needs the extra

    return partial(run_manager, number, ManagerSettings(_device(line), line.relist_seconds), spool)


def _hilink(number: str, line: LineSettings, spool: Path) -> Reader:
    with _package("huawei_lte_api", line.engine):
        from smscatch.engines.hilink import HilinkSettings, run_hilink  # noqa: PLC0415 - needs the extra

    return partial(run_hilink, number, HilinkSettings(_device(line), line.password, line.zone), spool)


@contextmanager
def _package(name: str, engine: str) -> Iterator[None]:
    """Import what needs a package; raise CannotStart if that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in (name, "requests"):
            raise
        raise CannotStart(
            f"engine = \"{engine}\" needs a package that is missing: pip install 'smscatch[{engine}]'."
        ) from error


def _device(line: LineSettings) -> str:
    if line.device is None:
        raise ValueError("a line without a device is read by no engine")
    return line.device


_READERS: dict[str, Callable[[str, LineSettings, Path], Reader]] = {
    LINK: _link,
    MODEMMANAGER: _modemmanager,
    HILINK: _hilink,
}
