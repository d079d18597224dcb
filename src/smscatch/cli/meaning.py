"""Which server and which store a command means: one rule, and its answer is said where nobody named one.

What --url and --store or the settings name. Where they name none, it is the demo's, if one is here: for a client, which
needs a key, if one ever ran; for a command that opens the store itself, if it runs now, or if there is no other store.
"""

import argparse
import contextlib
import fcntl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from smscatch.cli.base import add_settings
from smscatch.errors import BadSetting
from smscatch.settings import Settings, data_folder, hide_password, load_settings

if TYPE_CHECKING:
    from smscatch.client.sync import Client

DEFAULT = "default"


def demo_config() -> Path:
    """Return the configuration file of the demo, which there is once one ran."""
    return data_folder() / "demo" / "smscatch.toml"


class Meant(NamedTuple):
    """A store: its URL, and what to say of it: as it may be shown, and why it is this one. Empty if it was named.

    With the settings of the installation to which it belongs: its spool, its configuration file.
    """

    url: str
    notice: str
    settings: Settings


def find_store(given: str | None) -> Meant:
    """Return the store that a command means whose --store is `given`."""
    settings = load_settings({"store": given})
    origin = settings.origins["store"]
    if origin == DEFAULT and _means_the_demo(settings):
        demo = load_demo()
        return Meant(demo.store, f"store: {demo.store} (the demo's; --store names another)", demo)
    notice = "" if given is not None else f"store: {hide_password(settings.store)} (from: {origin})"
    return Meant(settings.store, notice, settings)


def _means_the_demo(settings: Settings) -> bool:
    if not demo_config().exists() or is_locked(settings.spool / ".lock"):
        return False
    return does_demo_run() or not Path(settings.store.removeprefix("sqlite://")).exists()


def find_server(url: str | None, key: str | None) -> tuple[str, str]:
    """Return the URL and the key of the server that a command means whose --url is `url`. Raises BadSetting."""
    settings = load_settings({"url": url, "key": key}, for_client=True)
    if _is_unnamed(settings) and demo_config().exists():
        print("(using the demo's server; set SMSCATCH_URL and SMSCATCH_KEY for another)", file=sys.stderr)
        settings = load_demo()
    if settings.key is None:
        raise BadSetting(f"No key is set for the server at {settings.url}: set SMSCATCH_KEY.")
    return settings.url, settings.key


def _is_unnamed(settings: Settings) -> bool:
    return settings.key is None and settings.origins["url"] == DEFAULT


def load_demo() -> Settings:
    """Return the settings with which a client, or a command, finds the demo."""
    return load_settings(environ={"SMSCATCH_CONFIG": str(demo_config())}, for_client=True)


def does_demo_run() -> bool:
    """Return whether a demo runs."""
    return is_locked(demo_config().with_name("lock"))


def is_locked(path: Path) -> bool:
    """Return whether a running program holds the lock `path`."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def a_store(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which store a command means."""
    add_settings(parser, "store")


def a_server(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which server a command means."""
    add_settings(parser, "url")
    parser.add_argument("--key-file", metavar="FILE", help="the API key's file, - is standard input; SMSCATCH_KEY else")
    parser.add_argument("--key", action=_RefuseKey, help=argparse.SUPPRESS)


class _RefuseKey(argparse.Action):
    """Refuses a key on the command line: all who may list processes on this machine would read it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, option: object = None
    ) -> None:
        parser.error(
            "--key would show the key to everybody who lists the processes of this machine: set SMSCATCH_KEY, or"
            " give --key-file FILE (- is standard input)"
        )


def open_client(options: argparse.Namespace) -> "Client":
    """Return a client for the server that is meant."""
    from smscatch.client.sync import Client  # noqa: PLC0415 - what needs HTTP, other commands do without

    return Client(*server_of(options))


def server_of(options: argparse.Namespace) -> tuple[str, str]:
    """Return the URL and the key of the server that is meant."""
    return find_server(options.url, _read_key(options.key_file))


def is_server_named(options: argparse.Namespace) -> bool:
    """Return whether somebody named a server, or a demo runs."""
    if options.url or options.key_file or does_demo_run():
        return True
    return not _is_unnamed(load_settings(for_client=True))


def _read_key(path: str | None) -> str | None:
    """Return the key in the first line of a file; `-` is standard input. Raises BadSetting if it cannot be read."""
    if path is None:
        return None
    try:
        with contextlib.nullcontext(sys.stdin) if path == "-" else open(path, encoding="utf-8") as file:
            return file.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"--key-file {path!r} cannot be read: {error}.") from error
