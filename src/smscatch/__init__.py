"""A real phone number for your tests: the names that a test project imports."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from smscatch.errors import (
    BadCursor,
    BadRequest,
    BadTimeout,
    CannotReach,
    Forbidden,
    NoMessage,
    NotFound,
    ShuttingDown,
    SmscatchError,
    StoreUnavailable,
    Unauthorized,
    UnknownLine,
)

if TYPE_CHECKING:
    from smscatch.client import Client
    from smscatch.messages import Line, Message

__all__ = [
    "BadCursor",
    "BadRequest",
    "BadTimeout",
    "CannotReach",
    "Client",
    "Forbidden",
    "Line",
    "Message",
    "NoMessage",
    "NotFound",
    "ShuttingDown",
    "SmscatchError",
    "StoreUnavailable",
    "Unauthorized",
    "UnknownLine",
]
__version__ = version("smscatch")

_HOMES = {"Client": "smscatch.client", "Line": "smscatch.messages", "Message": "smscatch.messages"}


def __getattr__(name: str) -> Any:
    # Loaded when first used (PEP 562): the HTTP client would cost every command and every reader of a modem its import.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
