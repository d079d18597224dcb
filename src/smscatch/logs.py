"""How our log looks: one line a record, and nothing in it that a terminal would obey. What is logged is elsewhere."""

import logging
import sys
from types import TracebackType

from smscatch.errors import escape_controls

FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"
INDENT = "  "  # of a traceback: none of its lines can pass for a record


class LogFormatter(logging.Formatter):
    """Writes control characters as escapes (log injection): names from outside may stand in a message."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line of a record."""
        return escape_controls(super().formatMessage(record))

    def formatException(  # noqa: N802 - logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return a traceback in indented lines."""
        lines = super().formatException(ei).split("\n")
        return "\n".join(INDENT + escape_controls(line) for line in lines)


def log_to_stderr() -> None:
    """Have everything from INFO on written to standard error; of uvicorn and httpx2 only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter(FORM))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it names each URL, and that of a sink may hold a secret
