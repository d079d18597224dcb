"""Whose request it is: the address of the connection, which a proxy's headers do not change. Keys are in auth.py."""

from starlette.requests import Request

from smscatch.tries import network_of

PEER = "smscatch.peer"  # where the server puts the address of the connection


def address_of(request: Request) -> str:
    """Return whom to hold a wrong key against: an IPv4 address, or the /64 of an IPv6 one."""
    peer = request.scope.get(PEER) or request.scope.get("client") or ("a local socket", 0)
    return network_of(str(peer[0]))
