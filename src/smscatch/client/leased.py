"""What is known of a leased line without asking the server."""

from datetime import datetime

from smscatch.messages import Lease


class Leased:
    """A number that is ours alone until it is released, or its time is up."""

    def __init__(self, lease: Lease, after: str | None = None) -> None:
        self._lease = lease
        self._after = after or lease.cursor  # each wait goes on behind what the one before it returned

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.number} until {self.expires_at:%H:%M:%S} UTC>"

    @property
    def number(self) -> str:
        """The number, E.164."""
        return self._lease.line

    @property
    def label(self) -> str:
        """The label of the line."""
        return self._lease.label

    @property
    def id(self) -> str:
        """The lease's id; messages that belong to it carry it."""
        return self._lease.id

    @property
    def cursor(self) -> str:
        """Where the lease began."""
        return self._lease.cursor

    @property
    def expires_at(self) -> datetime:
        """When the lease ends by itself, UTC."""
        return self._lease.expires_at
