"""How the MongoDB store gets in where not everybody may: with TLS, a user and a password, as Atlas has it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pymongo
import pytest

from smscatch.errors import CannotStart
from smscatch.sources import join_parts
from smscatch.stores import open_store
from tests.samples import a_delivery
from tests.servers import mongo
from tests.servers.certificates import make_certificate


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[mongo.Node]:
    """A node that offers TLS and lets a user of one database in, as Atlas does."""
    key = tmp_path / "key"
    key.write_text("ofthemembersoftheset")
    key.chmod(0o600)
    certificate = str(make_certificate(tmp_path))
    node = mongo.Node(tmp_path / "node", "rs0")
    try:
        node.start("--tlsMode", "allowTLS", "--tlsCertificateKeyFile", certificate, "--keyFile", str(key))
        with node.client() as client:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": node.address}]})
            while not client.admin.command("hello")["isWritablePrimary"]:
                time.sleep(0.02)
            client.admin.command("createUser", "root", pwd="root", roles=["root"])  # the first, without signing in
        root: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
            f"mongodb://root:root@{node.address}/?directConnection=true"
        )
        with root as client:
            roles = [{"role": "readWrite", "db": "smscatch"}]
            client.admin.command("createUser", "anna", pwd="p@ss/word", roles=roles)
        yield node
    finally:
        node.kill()


async def test_it_signs_in_over_tls(guarded: mongo.Node, tmp_path: Path) -> None:
    place = f"{guarded.address}/smscatch?replicaSet=rs0&authSource=admin&tls=true"
    url = f"mongodb://anna:p%40ss%2Fword@{place}&tlsCAFile={tmp_path}/ca.pem"
    store = await open_store(url, join_parts)
    listening = asyncio.create_task(store.listen(lambda: None))
    assert await store.add([a_delivery()]) == 1
    assert await store.position() == 1
    assert not listening.done()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await store.close()
    plain = f"{guarded.address}/smscatch?replicaSet=rs0&tls=true&tlsCAFile={tmp_path}/ca.pem"
    with_root = f"mongodb://root:root@{plain}"
    anna = f"mongodb://anna:p%40ss%2Fword@{plain.replace('/smscatch', '/elsewhere')}&authSource=admin"
    for wrong, said in (
        (with_root, "Authentication failed.*add .authSource=admin"),
        (f"mongodb://{plain}", "a user and a password: mongodb://USER:PASSWORD@HOST"),
        (anna, "db.grantRolesToUser.*readWrite"),
    ):
        with pytest.raises(CannotStart, match=said) as caught:
            await open_store(wrong, join_parts)
        assert "p@ss" not in str(caught.value)
    for wrong in (f"mongodb://anna:p%40ss%2Fword@{place}", url.replace("p%40ss", "wr0ng")):
        with pytest.raises(CannotStart) as caught:
            await open_store(wrong, join_parts)
        assert "p@ss" not in str(caught.value)
        assert "wr0ng" not in str(caught.value)
