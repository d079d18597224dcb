"""Texts that are posted over HTTP while the server is killed again and again, and what became of them."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx2

from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.plain import NO_AUTHORITIES

POSTERS = 4
TEXTS = 20  # of each of them
KILLED_AT = (15, 40)  # as soon as so many are acknowledged


def post_under_kill_9(server: Server, line: str) -> list[str]:
    """Post texts to a line, none of them twice, and kill the server meanwhile; return those that were acknowledged."""
    acknowledged: list[str] = []

    def post(poster: int) -> None:
        headers = {"authorization": f"Bearer {ADMIN_KEY}"}
        with httpx2.Client(
            base_url=server.url, headers=headers, timeout=PATIENCE_SECONDS, verify=NO_AUTHORITIES
        ) as http:
            for n in range(TEXTS):
                text = f"{poster} {n}"
                try:
                    answer = http.post("/api/v1/inbound/generic", json={"line": line, "sender": "Authy", "text": text})
                except httpx2.TransportError:  # killed meanwhile: nobody knows whether it was taken
                    _until_it_listens(http)
                    continue
                if answer.status_code == 200:
                    acknowledged.append(text)

    with ThreadPoolExecutor(POSTERS) as pool:
        posting = [pool.submit(post, poster) for poster in range(POSTERS)]
        for count in KILLED_AT:
            while len(acknowledged) < count and not all(each.done() for each in posting):
                time.sleep(0.005)
            server.kill()
            server.start()
        for each in posting:
            each.result()
    return acknowledged


def _until_it_listens(http: httpx2.Client) -> None:
    while True:
        try:
            http.get("/healthz")
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return


def assert_all_there_once(server: Server, line: str, acknowledged: list[str]) -> None:
    """Fail if something that was acknowledged is missing, or anything is there twice."""
    assert len(acknowledged) >= KILLED_AT[-1]
    with server.client() as client:
        client.cursor()  # there is no "now" before what lies in the spool is stored
        found = Counter(message.text for message in client.messages(line=line, limit=500))
    assert set(acknowledged) <= set(found)
    assert set(found.values()) == {1}
    assert not list(server.spool.glob("*.sms"))
