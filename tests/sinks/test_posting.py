"""A post goes to the address that was checked and nowhere else, and its answer is judged by the status."""

import socket

import pytest

from smscatch.sinks import posting
from smscatch.sinks.base import PASSING, PERMANENT, TAKEN, Result
from smscatch.sinks.posting import is_public, judge, make_target, post
from tests.samples import NOON
from tests.sinks.receiver import Answer, Receiver

BODY = b'{"text": "hello"}'


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_taken(status: int) -> None:
    assert judge(status, None, NOON).verdict == TAKEN


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 451, 499])
def test_4xx_will_not_change(status: int) -> None:
    assert judge(status, "5", NOON) == Result(PERMANENT, f"HTTP {status}")


@pytest.mark.parametrize("status", [100, 301, 302, 304, 307, 308, 408, 425, 429, 500, 502, 503, 504, 599])
def test_all_else_passes(status: int) -> None:
    assert judge(status, None, NOON) == Result(PASSING, f"HTTP {status}")


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:c0a8:101::1"),
    ],
)
def test_a_private_address_is_known_in_every_form(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"])
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(address)


async def test_a_private_target_is_refused_and_never_called(receiver: Receiver) -> None:
    for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost")):
        result = await post(make_target(url, allows_private=False), BODY, {})
        assert result.verdict == PASSING
        assert "private address" in result.reason
        assert "allow_private" in result.reason
        assert "/hook" not in result.reason
    assert receiver.posts == []


async def test_the_very_address_that_was_checked_is_called_under_the_name(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def look_up(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    monkeypatch.setattr(posting, "look_up", look_up)
    url = f"http://receiver.invalid:{receiver.port}/hook?token=t"
    assert await post(make_target(url, allows_private=True), BODY, {"x-more": "1"}) == Result(TAKEN)
    assert asked == [("receiver.invalid", receiver.port)]
    (got,) = receiver.posts
    assert (got.path, got.body, got.headers["x-more"]) == ("/hook?token=t", BODY, "1")
    assert got.headers["host"] == f"receiver.invalid:{receiver.port}"
    assert got.headers["user-agent"].startswith("smscatch/")


async def test_only_the_public_ones_of_several_addresses_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up(host: str, port: int) -> list[str]:
        return ["10.0.0.1", "127.0.0.1"]

    monkeypatch.setattr(posting, "look_up", look_up)
    monkeypatch.setattr(posting, "is_public", lambda address: address == "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://receiver.invalid:{closed.getsockname()[1]}/"
        result = await post(make_target(url, allows_private=False), BODY, {})
    assert (result.verdict, "private" in result.reason) == (PASSING, False)


async def test_a_second_address_is_tried_when_nobody_listens_at_the_first(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look_up(host: str, port: int) -> list[str]:
        return ["::1", "127.0.0.1"]

    monkeypatch.setattr(posting, "look_up", look_up)
    url = f"http://receiver.invalid:{receiver.port}/hook"
    assert await post(make_target(url, allows_private=True), BODY, {}) == Result(TAKEN)


async def test_no_redirect_is_followed(receiver: Receiver, other_receiver: Receiver) -> None:
    receiver.answers = [Answer(307, (("location", other_receiver.url),))]
    assert await post(make_target(receiver.url, allows_private=True), BODY, {}) == Result(PASSING, "HTTP 307")
    assert other_receiver.posts == []


async def test_no_proxy_of_the_environment_is_asked(
    receiver: Receiver, other_receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{other_receiver.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert await post(make_target(receiver.url, allows_private=True), BODY, {}) == Result(TAKEN)
    assert (len(receiver.posts), other_receiver.posts) == (1, [])


@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1"])
async def test_a_receiver_that_is_not_there_passes(host: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://{host}:{closed.getsockname()[1]}/secret-path"
        result = await post(make_target(url, allows_private=True), BODY, {})
    assert result.verdict == PASSING
    assert result.reason
    assert "secret-path" not in result.reason
