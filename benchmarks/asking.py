"""GET /json a second, the newest 50 texts as in 2018, beside Flask on waitress over MongoDB, which had them then.

scripts/benchmark asking [STORE] [--short]. Ours on SQLite, as it comes; STORE is an empty mongodb:// address for the
peer. Without it a server of the tests is used.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pymongo
from benchmarks.beside import Caller, Row, Server, delivery, free_port, options, report, running, smscatch
from benchmarks.intake import rate
from tests.servers import mongo

CONNECTIONS = 16
TEXTS = 200
LINE = "+447700900001"
PATH = "/json"
PEER = """
import logging, sys, flask, pymongo, waitress
from bson.json_util import JSONOptions, DatetimeRepresentation, dumps

messages = pymongo.MongoClient(sys.argv[2]).get_default_database().messages
form = JSONOptions(datetime_representation=DatetimeRepresentation.ISO8601)
app = flask.Flask(__name__)

@app.get("/json")
def newest():
    found = messages.find({}, {"_id": False}).sort("timestamp", pymongo.DESCENDING).limit(50)
    return flask.Response(dumps(found, json_options=form), mimetype="application/json")

@app.get("/healthz")
def health():
    return "{}"

logging.getLogger("waitress").setLevel("ERROR")  # it tells how many wait for it
waitress.serve(app, host="127.0.0.1", port=int(sys.argv[1]))
"""


@contextlib.contextmanager
def of_2018(store: str) -> Iterator[Server]:
    """Run the peer, with as many texts."""
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(store)
    messages, port = client.get_default_database().messages, free_port()
    messages.insert_many([_document(n) for n in range(TEXTS)])
    messages.create_index([("timestamp", pymongo.DESCENDING)])
    with running([sys.executable, "-c", PEER, str(port), store], port) as server:
        yield server
    client.close()


def _document(n: int) -> dict[str, object]:
    text = f"{n:06} is your verification code for service {n % 100}. Do not share it with anyone."
    received_at = datetime(2018, 4, 28, 16, tzinfo=UTC) + timedelta(seconds=n)
    return {"number": f"Service{n % 100}", "text": text, "timestamp": received_at}


async def asked(callers: list[Caller], until: float) -> int:
    """Ask on all connections, again and again; return how often."""

    async def ask(caller: Caller) -> int:
        count = 0
        while time.monotonic() < until:
            await caller.call("GET", PATH)
            count += 1
        return count

    return sum(await asyncio.gather(*(ask(caller) for caller in callers)))


async def measure(ours: Server, theirs: Server, rounds: int, seconds: float) -> Row:
    """Return how the two compare."""
    callers = {server: [await Caller.open(server.port) for _ in range(CONNECTIONS)] for server in (ours, theirs)}
    for n in range(TEXTS):
        await callers[ours][0].call("POST", "/api/v1/inbound/generic", delivery(LINE, n))
    rates: dict[Server, list[float]] = {ours: [], theirs: []}
    for _ in range(rounds):
        for server, measured in rates.items():
            measured.append(await rate(lambda until, server=server: asked(callers[server], until), seconds))  # type: ignore[misc]
    what = f"GET /json over {CONNECTIONS} connections, beside Flask, waitress and MongoDB"
    return Row(what, "a second", rates[ours], rates[theirs])


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    rounds, seconds = (3, 1.0) if given.is_short else (7, 2.0)
    with contextlib.ExitStack() as stack:
        store = given.store or stack.enter_context(mongo.databases()).empty(1)
        theirs, ours = stack.enter_context(of_2018(store)), stack.enter_context(smscatch())
        row = asyncio.run(measure(ours, theirs, rounds, seconds))
    report("asking", [row], writes=given.writes)


if __name__ == "__main__":
    main()
