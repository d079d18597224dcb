"""A real phone number for your tests: the names that a test project imports."""

from __future__ import annotations

from importlib import import_module

from smscatch.errors import (
    BadCursor,
    BadRequest,
    BadTimeout,
    CannotReach,
    Forbidden,
    LeaseEnded,
    NoApplication,
    NoFreeLine,
    NoMessage,
    NotCaught,
    NotFound,
    ShuttingDown,
    SmscatchError,
    StoreUnavailable,
    Unauthorized,
    UnknownLease,
    UnknownLine,
)

TYPE_CHECKING = False  # typing would take as long to load as all else that is loaded here
if TYPE_CHECKING:
    from typing import Any

    from smscatch.client.aio import AsyncClient, AsyncLeasedLine, AsyncLeasedLines
    from smscatch.client.sync import Client, LeasedLine, LeasedLines
    from smscatch.messages import Lease, Line, Message

__all__ = [
    "AsyncClient",
    "AsyncLeasedLine",
    "AsyncLeasedLines",
    "BadCursor",
    "BadRequest",
    "BadTimeout",
    "CannotReach",
    "Client",
    "Forbidden",
    "Lease",
    "LeaseEnded",
    "LeasedLine",
    "LeasedLines",
    "Line",
    "Message",
    "NoApplication",
    "NoFreeLine",
    "NoMessage",
    "NotCaught",
    "NotFound",
    "ShuttingDown",
    "SmscatchError",
    "StoreUnavailable",
    "Unauthorized",
    "UnknownLease",
    "UnknownLine",
]
__version__ = "0.1.0"  # pyproject.toml reads it here: to ask the installed package would double what an import costs

_HOMES = dict.fromkeys(("Client", "LeasedLine", "LeasedLines"), "smscatch.client.sync")
_HOMES |= dict.fromkeys(("AsyncClient", "AsyncLeasedLine", "AsyncLeasedLines"), "smscatch.client.aio")
_HOMES |= dict.fromkeys(("Lease", "Line", "Message"), "smscatch.messages")


def __getattr__(name: str) -> Any:
    # Loaded when first used (PEP 562): the HTTP client would cost every command and every reader of a modem its import.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
