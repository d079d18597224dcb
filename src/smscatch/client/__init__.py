"""The client that a test project uses; needs httpx2 and msgspec, nothing of the server."""

from smscatch.client.aio import AsyncClient, AsyncLeasedLine, AsyncLeasedLines
from smscatch.client.sync import Client, LeasedLine, LeasedLines

__all__ = ["AsyncClient", "AsyncLeasedLine", "AsyncLeasedLines", "Client", "LeasedLine", "LeasedLines"]
