"""Real clients, unchanged, in the environment of a caught program: each call comes to us, whatever they read or ignore.

A client that went its own way would fail, since no name of a provider is found on a machine without a network, and
nothing would be seen here.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smscatch.catching.catcher import catching
from smscatch.catching.forwarding import Destination
from smscatch.catching.tally import Tally
from tests.catching.stand_in import KEY, StandIn, tls_elsewhere
from tests.patience import PATIENCE_SECONDS

NUMBERS = {"LINE": "+447700900001", "OURS": "+447700900002"}
# Those whose packages ignore the proxy's variables (plivo, aiohttp, urllib3), those that read them, and those that
# read the proxy but not the port of what they look up (httpx over anyio).
PYTHON = """
import asyncio, os, sys
import httpx, plivo, twilio.rest, urllib3
from twilio.http.async_http_client import AsyncTwilioHttpClient

to, ours = os.environ["LINE"], os.environ["OURS"]
twilio.rest.Client().messages.create(to=to, from_=ours, body="1")
plivo.RestClient().messages.create(src="Acme", dst=to, text="2")
httpx.post("https://api.telnyx.com/v2/messages", headers={"x-key": os.environ["TELNYX_API_KEY"]})
urllib3.PoolManager().request("POST", "https://REST.nexmo.com/sms/json", fields={"text": "4"})
urllib3.PoolManager().request("POST", "http://rest.nexmo.com/plain")

async def call():
    async with AsyncTwilioHttpClient() as http:
        service = twilio.rest.Client(http_client=http).verify.v2.services("VA" + 32 * "0")
        await service.verifications.create_async(to=to, channel="sms")
    async with httpx.AsyncClient() as http:
        await http.post("https://api.nexmo.com/v1/messages", json={"text": "6"})

asyncio.run(call())
assert urllib3.PoolManager().request("GET", sys.argv[1], timeout=60).status == 201
"""
NODE = """
const http = require("node:http"), https = require("node:https"), tls = require("node:tls");
const head = "GET /tls HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n";
const asked = (options) => new Promise((resolve, reject) => {
  const request = https.request({ method: "POST", ...options }, (answer) => answer.resume().on("end", resolve));
  request.on("error", reject).end("1");
});
const connected = (...form) => new Promise((resolve, reject) => {
  const socket = tls.connect(...form, () => socket.write(head));
  socket.on("error", reject).on("end", resolve).resume();
});
(async () => {
  await fetch("https://api.telnyx.com/v2/messages", { method: "POST", body: "1" });
  await asked({ hostname: "API.twilio.com", path: "/https" });
  await asked({ host: "rest.messagebird.com", path: "/agent", agent: new https.Agent({ keepAlive: true }) });
  await connected({ host: "api.plivo.com", port: 443 });
  await connected(443, "api.plivo.com");
  await connected(443, "api.plivo.com", {});
  await connected("443", { host: "api.plivo.com" });
  await connected(443, "192.0.2.1", { servername: "api.plivo.com" });
  await new Promise((resolve) => {
    http.get("http://rest.nexmo.com/plain", (answer) => answer.resume().on("end", resolve));
  });
  const { status } = await fetch(process.argv[1]);
  process.exit(status === 201 ? 0 : 1);
})();
"""


class Caught:
    """A server, and programs that are caught by it."""

    def __init__(self, server: StandIn, environ: dict[str, str], tally: Tally) -> None:
        self.server, self.environ, self.tally = server, environ, tally

    async def run(self, *command: str, **variables: str) -> str:
        """Run a program, which succeeds; return what it said on standard output."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, env=self.environ | variables, stdout=pipe, stderr=pipe)
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    @property
    def targets(self) -> list[str]:
        return [asked.target for asked in self.server.asked]


@pytest.fixture
async def caught(tmp_path: Path) -> AsyncIterator[Caught]:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text("import os\nos.environ['LOADED'] = 'theirs'\n")
    before = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(theirs), **NUMBERS}
    tally = Tally()
    async with StandIn().running() as server, catching(before, Destination(server.url, KEY), tally) as environ:
        yield Caught(server, environ, tally)


async def test_packages_of_python_are_caught_whether_or_not_they_ask_a_proxy(caught: Caught) -> None:
    await caught.run(sys.executable, "-c", PYTHON, caught.server.url)
    assert caught.targets == [
        f"/twilio/2010-04-01/Accounts/AC{32 * '0'}/Messages.json",
        f"/plivo/v1/Account/MA{18 * '0'}/Message/",
        "/telnyx/v2/messages",
        "/vonage/sms/json",
        "/vonage/plain",
        f"/twilio/v2/Services/VA{32 * '0'}/Verifications",
        "/vonage/v1/messages",
        "/",
    ]
    assert caught.server.asked[2].headers["x-key"] == KEY
    assert len(caught.tally.report()) == 6  # the last call, to localhost, did not come through us


@pytest.mark.parametrize("node", ["the system's", "the newest"])
async def test_all_ways_of_node_to_open_a_connection_are_caught(caught: Caught, node: str) -> None:
    newest = str(Path(sys.executable).parent)
    systems = os.pathsep.join(place for place in os.environ["PATH"].split(os.pathsep) if place != newest)
    program = shutil.which("node", path=newest if node == "the newest" else systems)
    assert program, "install it: scripts/setup test"
    await caught.run(program, "-e", NODE, "--", caught.server.url)
    paths = ["/telnyx/v2/messages", "/twilio/https", "/messagebird/agent", *(5 * ["/plivo/tls"]), "/vonage/plain", "/"]
    assert caught.targets == paths


async def test_another_host_keeps_its_certificate_and_what_was_loaded_before_is_loaded_still(caught: Caught) -> None:
    program = (
        "import os, ssl, sys, urllib.request\n"
        "assert os.environ['LOADED'] == 'theirs'\n"
        "context = ssl.create_default_context()\n"
        "assert len(context.get_ca_certs()) > 50\n"
        "context.load_verify_locations(cadata=sys.argv[2])\n"
        "handler = urllib.request.HTTPSHandler(context=context)\n"
        "print(urllib.request.build_opener(handler).open(sys.argv[1]).read().decode())\n"
    )
    async with tls_elsewhere() as (port, their_ca):
        place = f"https://localhost:{port}/"
        # As a host that is not local: through the proxy.
        done = await caught.run(sys.executable, "-c", program, place, their_ca.decode(), no_proxy="", NO_PROXY="")
    assert done == "from elsewhere\n"
    assert caught.tally.report() == ["passed through localhost, once"]


async def test_a_program_that_outlives_its_catcher_still_looks_names_up(tmp_path: Path) -> None:
    program = (
        "import socket, sys; print('ready', flush=True); sys.stdin.readline()\n"
        "print(socket.getaddrinfo('localhost', 80, socket.AF_INET)[0][4][1])\n"
        "print(socket.getaddrinfo('api.twilio.com', 443)[0][4][0])\n"
    )
    before = {"PATH": os.environ["PATH"]}
    async with catching(before, Destination("http://127.0.0.1:1", KEY), Tally()) as environ:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", program),
            env=environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    out, _ = await process.communicate(b"\n")
    assert out == b"80\n127.0.0.1\n"


async def test_a_folder_for_temporary_files_with_a_blank_in_its_name_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, is_used in (("a b", False), ("a:b", False), ("ab", True)):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))
        async with catching({}, Destination("http://127.0.0.1:1", KEY), Tally()) as environ:
            folder = Path(environ["SSL_CERT_FILE"]).parent
            assert (folder.parent == tmp_path / name) is is_used
            assert folder.stat().st_mode & 0o777 == 0o700
            assert " " not in environ["RUBYOPT"]
