"""The JSON API, /api/v1 and what tells how the server is: handlers, one noun a module."""

from smscatch.web.api import inbound, leases, messages, sources, state

__all__ = ["inbound", "leases", "messages", "sources", "state"]
