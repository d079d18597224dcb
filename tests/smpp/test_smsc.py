"""Our bind to real SMSCs (npm's smpp, smpp34): what they deliver comes through, whoever is killed meanwhile."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import plain
from tests.carrier import eventually
from tests.conftest import ADMIN_KEY, Server
from tests.smpp.smscs import (
    LINE,
    SmscProcess,
    assert_all_there_in_order,
    configure,
    deliver_under_kills,
    stored,
    traffic,
)


@pytest.fixture
def smsc(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SmscProcess]:
    made = SmscProcess(tmp_path / "smsc", getattr(request, "param", "npm"))
    yield made
    made.kill()


# smpp34 1.5.0 does not hear the answers of a receiver. `python -m tests.smpp` does the same with 5,000 and more kills.
@pytest.mark.parametrize(("smsc", "kind"), [("npm", "receiver"), ("smpp34", "transceiver")], indirect=["smsc"])
async def test_nothing_is_lost_or_doubled_unmarked_whoever_is_killed(
    make_server: Callable[[], Server], smsc: SmscProcess, kind: str
) -> None:
    server = make_server()
    configure(server, smsc, f'line = "{LINE}"\nbind = "{kind}"\n')
    deliveries, texts = traffic(60, 30)
    await deliver_under_kills(server, smsc, deliveries, kills=2)
    assert_all_there_in_order(await stored(server), texts)


async def test_a_refused_bind_is_told_in_a_sentence(make_server: Callable[[], Server], smsc: SmscProcess) -> None:
    server = make_server()
    configure(server, smsc)
    config = server.folder / "smscatch.toml"
    config.write_text(config.read_text().replace('"secret"', '"wrong"'))
    smsc.give([])
    smsc.start()
    server.start()
    await eventually(lambda: "refuses the bind" in server.log())
    answer = plain.get(f"{server.url}/api/v1/sources", headers={"authorization": f"Bearer {ADMIN_KEY}"})
    ((bind,),) = [one["binds"] for one in answer.json()["smpp"]]
    assert bind["state"] == "refused"
    assert "the password is wrong" in bind["error"]
    assert 'wrong"' not in server.log()
    server.stop()
