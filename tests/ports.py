"""Ports of the loopback interface for the servers of tests."""

import socket


def free_port() -> int:
    """Return a port that nobody listens on, and that nobody gets by chance while this process runs.

    It stays bound, so that only who sets SO_REUSEADDR may listen on it, as servers do (socket(7)).
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    port: int = keeper.getsockname()[1]
    keeper.detach()  # left open
    return port
