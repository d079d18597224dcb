"""What Python loads at its start (site) while it is caught: providers' names lead to our TLS port, all else is as ever.

For packages that ask no proxy. It imports nothing that Python has not loaded, and changes a module when that is loaded.
Beside it lies `where`, with the port, the providers' hosts as a regular expression, and a bundle of what to trust.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))


class _Where:
    """What the file `where` says. It is read at once: a program that outlives its catcher still looks names up."""

    def __init__(self) -> None:
        with open(os.path.join(os.path.dirname(_HERE), "where")) as file:
            port, self.hosts, self.bundle = file.read().splitlines()[:3]
        self.port = int(port)

    def has(self, host: object) -> bool:
        """Return whether a host is a provider's."""
        import re  # noqa: PLC0415 - most programs need it anyhow, but a short one may not

        name = host.decode("latin-1") if isinstance(host, bytes) else host
        return isinstance(name, str) and re.match(self.hosts, name, re.IGNORECASE) is not None


_where = _Where()


def _lead_socket(module: Any) -> None:
    """Have names looked up as socket does (gevent's too)."""
    before = module.getaddrinfo

    def getaddrinfo(host: object, port: object, family: int = 0, *rest: Any, **more: Any) -> Any:
        if _where.has(host):
            host, port, family = "127.0.0.1", _where.port, 0
        return before(host, port, family, *rest, **more)

    module.getaddrinfo = getaddrinfo


def _lead_uvloop(module: Any) -> None:
    """Have names looked up as uvloop does, which asks the system by itself."""
    before = module.Loop.getaddrinfo

    async def getaddrinfo(self: Any, host: object, port: object, *, family: int = 0, **more: Any) -> Any:
        if _where.has(host):
            host, port, family = "127.0.0.1", _where.port, 0
        return await before(self, host, port, family=family, **more)

    module.Loop.getaddrinfo = getaddrinfo


def _resolve_by_system(module: Any) -> None:
    """Have aiohttp look names up as the system does, also where aiodns is installed, which asks name servers itself."""
    module.DefaultResolver = module.ThreadedResolver


def _trust_bundle(module: Any) -> None:
    """Have certifi name our bundle: some packages ask it alone."""

    def where() -> str:
        return _where.bundle

    def contents() -> str:
        with open(_where.bundle, encoding="ascii", errors="replace") as file:
            return file.read()

    module.where, module.contents = where, contents


_CHANGES: dict[str, Callable[[Any], None]] = {
    "socket": _lead_socket,
    "gevent.socket": _lead_socket,
    "uvloop": _lead_uvloop,
    "aiohttp.resolver": _resolve_by_system,
    "certifi": _trust_bundle,
}


class _Loader:
    """Loads a module as its loader does, and changes it then."""

    def __init__(self, loader: Any, change: Callable[[Any], None]) -> None:
        self._loader, self._change = loader, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> Any:
        """Make it as ever."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run it as ever, and change it."""
        self._loader.exec_module(module)
        self._change(module)


class _Finder:
    """Finds the modules that change where they are found without it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders find (importlib.abc.MetaPathFinder)."""
        if name not in _CHANGES:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None and spec.loader is not None:
                loader: Any = _Loader(spec.loader, _CHANGES[name])
                spec.loader = loader
                return spec
        return None


def _load_next() -> None:
    """Load the sitecustomize that ours hides, if there is one: the user's, or the distribution's."""
    from importlib.machinery import PathFinder  # noqa: PLC0415
    from importlib.util import module_from_spec  # noqa: PLC0415

    others = [place for place in sys.path if os.path.abspath(place) != _HERE]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


for _name, _change in _CHANGES.items():
    if _name in sys.modules:
        _change(sys.modules[_name])
sys.meta_path.insert(0, _Finder())
_load_next()
