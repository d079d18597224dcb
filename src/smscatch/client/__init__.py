"""The client that a test project uses; needs httpx2 and msgspec, nothing of the server."""
