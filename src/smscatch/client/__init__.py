"""The client that a test project uses; needs httpx2 and msgspec, nothing of the server."""

from smscatch.client.aio import AsyncClient, AsyncLeasedLine
from smscatch.client.sync import Client, LeasedLine

__all__ = ["AsyncClient", "AsyncLeasedLine", "Client", "LeasedLine"]
