"""HTTP/1.1 read by h11, in Python alone: where httptools is not installed (there is no wheel of it for ARMv6)."""

from uvicorn.protocols.http.h11_impl import H11Protocol

from smscatch.web.connections import HttpConnection


class H11Connection(HttpConnection, H11Protocol):
    """uvicorn's over h11, within our limits; h11 itself bounds the head of a request."""
