"""The catcher in front of a server that stands in for ours."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from smscatch.catching.authority import Authority
from smscatch.catching.forwarding import Destination, Forwarder
from smscatch.catching.listener import TlsListener
from smscatch.catching.proxy import Proxy
from smscatch.catching.tally import Tally
from tests.catching.stand_in import KEY, StandIn


class Catcher(NamedTuple):
    """Both ports, and what was seen at them."""

    server: StandIn
    certificate: bytes
    tally: Tally
    proxy: int
    listener: int


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def catcher(authority: Authority) -> AsyncIterator[Catcher]:
    tally = Tally()
    async with StandIn().running() as server:
        forwarder = Forwarder(Destination(server.url, KEY), tally)
        async with (
            TlsListener(authority, forwarder, tally).open() as listener,
            Proxy(listener, forwarder, tally).open() as proxy,
        ):
            yield Catcher(server, authority.certificate, tally, proxy, listener)
        await forwarder.close()
