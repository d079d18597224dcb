"""The pytest plugin: a number of its own for each test, and the texts it received in the report of a failure.

Every run of a project that has smscatch installed loads this; so the client is imported only when a fixture is used.
"""

import argparse
import contextlib
import math
import platform
import signal
import threading
import warnings
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from smscatch.errors import (
    BadSetting,
    CannotReach,
    LeaseEnded,
    NoMessage,
    ShuttingDown,
    SmscatchError,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from smscatch.client.sync import Client, LeasedLine, LeasedLines
    from smscatch.messages import Message
    from smscatch.pytest_own import OwnServer

TTL_SECONDS = 120
WAIT_SECONDS = 300  # longer than a killed worker keeps a line
LINES = 2  # of `sms_lines`: one more than `sms_line`
MARK = (
    "sms(line=None, label=None, ttl=SECONDS, wait=SECONDS, count=LINES): which line `sms_line` is, and for how long;"
    " how many `sms_lines` are"
)
WISHES = ("line", "label", "ttl", "wait", "count")
_LEASED = pytest.StashKey["tuple[LeasedLine, ...]"]()
_TIMER = pytest.StashKey[tuple[pytest.Item, Any] | None]()
_TOLD = pytest.StashKey[bool]()
_OWN = pytest.StashKey["OwnServer"]()
_SHARED = "smscatch_own_server"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say where the server is and, for the project, which lines its tests take."""
    group = parser.getgroup("smscatch", "a real phone number for tests")
    group.addoption("--sms-url", metavar="URL", help="the smscatch server; otherwise SMSCATCH_URL")
    group.addoption("--sms-key", action=_RefuseKey, help=argparse.SUPPRESS)
    parser.addini("sms_label", "which lines the tests take; otherwise any")
    number: Any = "float" if pytest.version_tuple >= (8, 4) else "string"  # what older ones know
    parser.addini("sms_ttl", "seconds that a test has its line at most", type=number, default=TTL_SECONDS)
    parser.addini("sms_wait", "seconds that a test waits for a free line", type=number, default=WAIT_SECONDS)


class _RefuseKey(argparse.Action):
    """Refuses a key on the command line: all who may list processes on this machine would read it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, option: object = None
    ) -> None:
        raise pytest.UsageError(
            "--sms-key would show the key to everybody who lists the processes of this machine: set SMSCATCH_KEY, or"
            " SMSCATCH_KEY_FILE to the name of its file"
        )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARK)


@pytest.fixture(scope="session")
def sms(pytestconfig: pytest.Config) -> "Client":
    """The smscatch server, as a Client. Define a fixture of this name to reach it in another way.

    Found by `--sms-url`, SMSCATCH_URL and SMSCATCH_KEY, or smscatch.toml. If none says anything, one is started for
    this run: it leases fictitious numbers, and catches what the application sends to `sms.send_url("twilio")`.
    """
    from smscatch.client.sync import Client  # noqa: PLC0415 - only where it is used

    try:
        url, key = _find_server(pytestconfig)
        client = _patient(Client, pytestconfig)(url, key)
        pytestconfig.add_cleanup(client.close)  # later than the fixture's end: the last report may still need it
        client.leases()  # a wrong address or key is told at once, not when a wait for a line is over
    except SmscatchError as error:
        raise pytest.fail.Exception(f"smscatch: {error}", pytrace=False) from None
    _heed_sigterm(pytestconfig)
    return client


def _patient(kind: "type[Client]", config: pytest.Config) -> "type[Client]":
    """Return a kind of client that stops the test's clock while it waits for a free line."""

    class PatientClient(kind):  # type: ignore[valid-type, misc] # mypy knows no class that is a value
        def _queue(self, conversation: Any) -> Any:
            with _stopped_clock(config):
                return super()._queue(conversation)

    return PatientClient


@contextlib.contextmanager
def _stopped_clock(config: pytest.Config) -> Iterator[None]:
    """Stop the clock of pytest-timeout, if it runs; it starts anew afterwards.

    How long the queue for a line is depends on other tests. https://github.com/pytest-dev/pytest-timeout#extending-pytest-timeout-with-plugins
    """
    timer = config.stash.get(_TIMER, None)
    # Its signal method works in the main thread alone; a test that waits in another goes on beside.
    if timer is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    item, settings = timer
    config.hook.pytest_timeout_cancel_timer(item=item)
    try:
        yield
    finally:
        config.hook.pytest_timeout_set_timer(item=item, settings=settings)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> None:
    """Remember the timer of pytest-timeout that is set, for who has to stop it."""
    item.config.stash[_TIMER] = (item, settings)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> None:
    """Forget the timer: it is stopped."""
    item.config.stash[_TIMER] = None


def _heed_sigterm(config: pytest.Config) -> None:
    """Let SIGTERM, with which a CI cancels a job, end the run as Ctrl-C does, and not before lines are released."""
    is_ours = threading.current_thread() is threading.main_thread()
    if is_ours and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        config.add_cleanup(_forget_sigterm)


def _forget_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _find_server(config: pytest.Config) -> tuple[str, str]:
    """Return the URL and the key that are set; those of a server of this run's own if neither is.

    Fails what asks for them if one is missing, and says where to set it.
    """
    from smscatch.settings import load_settings  # noqa: PLC0415 - only where it is used

    try:
        given = load_settings({"url": config.getoption("sms_url")}, for_client=True)
    except BadSetting as error:
        raise pytest.fail.Exception(f"smscatch: {error}", pytrace=False) from None
    is_named = any(given.origins[name] != "default" for name in ("url", "host", "port"))
    if given.key is None and not is_named:
        return _own_server(config).find()
    if given.key is None:
        pytest.fail(
            f"smscatch: no key is set for the server at {given.url}. Set SMSCATCH_KEY or SMSCATCH_KEY_FILE; and if the"
            " server is elsewhere, SMSCATCH_URL or --sms-url.",
            pytrace=False,
        )
    return given.url, given.key


def _own_server(config: pytest.Config) -> "OwnServer":
    """Return the server of this run, started or not; in a worker of pytest-xdist that of all workers."""
    from smscatch.pytest_own import OwnServer  # noqa: PLC0415 - only where it is used

    if _OWN not in config.stash:
        shared = getattr(config, "workerinput", {}).get(_SHARED)
        config.stash[_OWN] = OwnServer.shared_by(*shared) if shared else OwnServer.made()
    return config.stash[_OWN]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where it finds the server that all of them have, if one asks for it."""
    node.workerinput[_SHARED] = _own_server(node.config).shared


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server of this run, if it has one. A worker leaves it to the others."""
    own = config.stash.get(_OWN, None)
    if own is not None and not hasattr(config, "workerinput"):
        own.end()


@pytest.fixture
def sms_line(request: pytest.FixtureRequest, sms: "Client") -> Iterator["LeasedLine"]:
    """A line that is this test's alone until it ends: no other test gets its texts, nor it theirs.

    `@pytest.mark.sms(label="pool", ttl=300)` says which line, how long it may be kept, and with `wait` how long to wait
    for one; a project's own defaults are sms_label, sms_ttl and sms_wait. Released however the test ends; that of
    a killed process is free after the ttl. If the test fails, what the line received is in the report. An async test
    waits in a thread: `await asyncio.to_thread(sms_line.wait_for_code)`.
    """
    wish = _wish(request.node)
    if "count" in wish:
        pytest.fail("sms_line is one line. A test that wants several takes the fixture sms_lines.", pytrace=False)
    try:
        with _stopped_clock(request.config):
            phone = sms.lease(**wish, holder=_holder(request.node))
    except SmscatchError as error:
        raise pytest.fail.Exception(f"smscatch: {error}", pytrace=False) from None
    request.node.stash[_LEASED] = (phone,)
    yield phone
    _release(phone, phone.number)


@pytest.fixture
def sms_lines(request: pytest.FixtureRequest, sms: "Client") -> Iterator["LeasedLines"]:
    """Several lines that are this test's alone, for a test with several users: `alice, bob = sms_lines`.

    Two, or as many as `@pytest.mark.sms(count=3)` says, leased at once: so tests that want several do not wait for each
    other with one in hand. All else is as with `sms_line`.
    """
    if "sms_line" in request.fixturenames:
        pytest.fail(
            "A test takes sms_line or sms_lines, not both: two that hold one and want another wait for each other."
            " sms_lines are as many as @pytest.mark.sms(count=…) says.",
            pytrace=False,
        )
    wish = _wish(request.node)
    count = wish.pop("count", LINES)
    try:
        with _stopped_clock(request.config):
            phones = sms.lease(count=count, **wish, holder=_holder(request.node))
    except SmscatchError as error:
        raise pytest.fail.Exception(f"smscatch: {error}", pytrace=False) from None
    request.node.stash[_LEASED] = tuple(phones)
    yield phones
    _release(phones, " and ".join(phones.numbers))


def _release(leased: "LeasedLine | LeasedLines", numbers: str) -> None:
    try:
        leased.release()
    except (CannotReach, ShuttingDown, StoreUnavailable) as error:
        # A test that passed stays so, also where warnings are errors: it is not the one that went wrong.
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            blocked = f"{numbers} is not released, and blocked until {leased.expires_at:%H:%M:%S} UTC"
            warnings.warn(pytest.PytestWarning(f"smscatch: {blocked}: {error}"), stacklevel=1)


def _wish(item: pytest.Item) -> dict[str, Any]:
    """Return what a test asks for: its nearest marker before those of its class and module, before the project's."""
    wish: dict[str, Any] = {"label": item.config.getini("sms_label") or None}
    wish |= {"ttl": _seconds(item.config, "sms_ttl"), "wait": _seconds(item.config, "sms_wait")}
    for mark in reversed(list(item.iter_markers("sms"))):
        wrong = [repr(value) for value in mark.args] + [name for name in mark.kwargs if name not in WISHES]
        if wrong:
            pytest.fail(f"@pytest.mark.sms takes {', '.join(WISHES)}, all by name; not {wrong[0]}.", pytrace=False)
        if "line" in mark.kwargs or "label" in mark.kwargs:  # one of them takes the place of either further out
            wish |= {"line": None, "label": None}
        wish |= mark.kwargs
    return wish


def _seconds(config: pytest.Config, name: str) -> float:
    try:
        seconds = float(config.getini(name))
        if math.isfinite(seconds):
            return seconds
        wrong = f"it is {seconds}"
    except (ValueError, TypeError, pytest.UsageError) as error:
        wrong = str(error)
    pytest.fail(f"{name} is not accepted ({wrong}). Accepted: a number of seconds, such as 120.", pytrace=False)


def _holder(item: pytest.Item) -> str:
    """Return what others are told who wait for the line: which test has it, and where that runs."""
    worker = getattr(item.config, "workerinput", {}).get("workerid")
    where = " on ".join(filter(None, (worker, platform.node())))
    return f"{item.nodeid} ({where})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what its lines received to the report of a test that failed."""
    report = yield
    phones = item.stash.get(_LEASED, ())
    is_told = item.stash.get(_TOLD, False) and report.when == "teardown"  # a test and each of its subtests tell it
    if report.failed and phones and not is_told:
        item.stash[_TOLD] = True
        explanation = _explanation(call.excinfo and call.excinfo.value)
        for phone in phones:
            report.sections.append(_describe(phone, explanation))
            explanation = None  # told once
    return report


def _explanation(error: BaseException | None) -> str | None:
    """Return what a wait that was in vain said of it, also where the test made another error of it."""
    seen: set[int] = set()  # `raise error from error` makes a ring
    while error is not None and id(error) not in seen:
        if isinstance(error, NoMessage | LeaseEnded):
            return str(error)
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _describe(phone: "LeasedLine", explanation: str | None) -> tuple[str, str]:
    """Return a section of a report."""
    try:
        messages = phone.messages()
    except Exception as error:  # whatever is wrong with server or client, the failure itself must be told
        return f"smscatch: what {phone.number} received is not known", str(error)
    count = f"{len(messages) or 'no'} text{'' if len(messages) == 1 else 's'}"
    told = [explanation] if explanation else []
    return f"smscatch: {phone.number} received {count} during this test", "\n".join([*told, *map(_tell, messages)])


def _tell(message: "Message") -> str:
    from smscatch.printing import blank_controls  # noqa: PLC0415
    from smscatch.times import format_time  # noqa: PLC0415 - only where it is used

    code = f"code {message.code}" if message.code else "no code"
    facts = [format_time(message.received_at), message.sender, code, *message.marks]
    if message.sent_at is not None and message.marks:
        facts.append(f"sent {format_time(message.sent_at)}")
    # A text is data: no escape sequence of its own reaches the terminal or the log of a CI.
    lines = [blank_controls("  ".join(facts)), *(f"    {blank_controls(line)}" for line in message.text.splitlines())]
    return "\n".join(lines)
