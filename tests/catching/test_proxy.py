"""The proxy catches what is for a provider, refuses what could become a real text, and leaves all else alone."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator

import httpx2
import pytest

from smscatch.catching.accepting import accepting
from smscatch.catching.authority import Authority
from smscatch.catching.forwarding import Destination, Forwarder
from smscatch.catching.listener import TlsListener
from smscatch.catching.proxy import Proxy
from smscatch.catching.tally import Tally
from tests.catching.conftest import Catcher
from tests.catching.stand_in import KEY, client_through, stream_of, tls_elsewhere

MESSAGES = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json?Page=0"


async def test_a_call_to_a_provider_is_answered_by_our_server_under_the_providers_path(catcher: Catcher) -> None:
    async with client_through(catcher.proxy, catcher.certificate) as client:
        answer = await client.post(MESSAGES, data={"Body": "1234"}, auth=("AC1", "token"))
    assert (answer.status_code, answer.json()["target"]) == (
        201,
        "/twilio/2010-04-01/Accounts/AC1/Messages.json?Page=0",
    )
    (asked,) = catcher.server.asked
    assert asked.body == b"Body=1234"
    assert asked.headers["authorization"].startswith("Basic ")
    assert asked.headers["host"] == catcher.server.url.removeprefix("http://")
    assert catcher.tally.report() == ["caught api.twilio.com, answered 201 once"]


async def test_a_connection_serves_one_request_after_the_other(catcher: Catcher) -> None:
    opened = []

    async def trace(name: str, _: object) -> None:
        opened.append(name) if name == "connection.connect_tcp.complete" else None

    async with client_through(catcher.proxy, catcher.certificate) as client:
        for count in range(3):
            answer = await client.post(MESSAGES, content=b"x" * count, extensions={"trace": trace})
            assert answer.json()["bytes"] == count
    assert len(opened) <= 1


async def test_big_bodies_pass_both_ways_whether_or_not_their_length_is_said(catcher: Catcher) -> None:
    size = 3 * 1024 * 1024

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // 65_536):
            yield b"y" * 65_536

    catcher.server.answer = lambda _: stream_of(size)
    async with client_through(catcher.proxy, catcher.certificate) as client:
        answers = [await client.post(MESSAGES, content=content) for content in (b"z" * size, pieces())]
    assert [len(asked.body) for asked in catcher.server.asked] == [size, size]
    assert [len(answer.content) for answer in answers] == [size, size]


async def test_other_hosts_are_reached_through_a_tunnel_with_their_own_certificate(catcher: Catcher) -> None:
    async with tls_elsewhere() as (port, their_ca), client_through(catcher.proxy, their_ca) as client:
        answer = await client.get(f"https://localhost:{port}/")
    assert answer.text == "from elsewhere"
    assert catcher.server.asked == []
    assert catcher.tally.report() == ["passed through localhost, once"]


async def test_a_tunnel_carries_whatever_is_spoken_and_ends_as_either_side_does(catcher: Catcher) -> None:
    heard = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x81\x05hello")  # speaks first, as no HTTP server does
        heard.set_result(await reader.read())  # until its end
        writer.write(b"bye")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", catcher.proxy)
        # What is sent together with the CONNECT is not lost.
        writer.write(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nhost: x\r\n\r\n\x00early" % port)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(7) == b"\x81\x05hello"
        writer.write(b"\xfflate")
        writer.write_eof()
        assert await reader.read() == b"bye"
        assert await heard == b"\x00early\xfflate"
        writer.close()


@pytest.mark.parametrize(
    "place",
    [
        "api.clicksend.com:443",  # we answer for none of its hosts
        "video.twilio.com:443",  # for another of its hosts
        "VIDEO.Twilio.COM.:443",  # the same, written in another way
        "api.twilio.com:8443",  # at another port
    ],
)
async def test_a_providers_host_that_is_not_caught_is_never_let_through(catcher: Catcher, place: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", catcher.proxy)
    writer.write(f"CONNECT {place} HTTP/1.1\r\nhost: {place}\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 502 smscatch: ")
    assert "a real text could be sent" in answer
    (line,) = catcher.tally.report()
    assert line == f"refused {place.lower().split(':')[0].rstrip('.')}, once: " + line.partition(": ")[2]


async def test_a_host_that_cannot_be_reached_is_said(catcher: Catcher) -> None:
    async with client_through(catcher.proxy, catcher.certificate) as client:
        with pytest.raises(httpx2.ProxyError, match="502 smscatch: localhost:1 cannot be reached"):
            await client.get("https://localhost:1/")


@pytest.mark.parametrize("line", [b"CONNECT nowhere", b"GET /", b"GET ftp://localhost/", b"GET https://localhost/"])
async def test_what_no_proxy_takes_is_refused(catcher: Catcher, line: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", catcher.proxy)
    writer.write(line + b" HTTP/1.1\r\nhost: x\r\n\r\n")
    assert re.match(rb"HTTP/1.1 (400|502) ", await reader.read())
    writer.close()


async def test_plain_http_to_a_provider_is_caught_and_to_others_is_handed_on(catcher: Catcher) -> None:
    async with client_through(catcher.proxy) as client:
        caught = await client.post("http://rest.nexmo.com/sms/json", data={"text": "1"})
        handed_on = await client.post(f"{catcher.server.url}/a//b?c", data={"text": "2"})
        refused = await client.get("http://www.twilio.com/")
    assert [caught.json()["target"], handed_on.json()["target"]] == ["/vonage/sms/json", "/a//b?c"]
    assert (refused.status_code, len(catcher.server.asked)) == (502, 2)
    assert [line.split(",")[0] for line in catcher.tally.report()] == [
        "caught rest.nexmo.com",
        "refused www.twilio.com",
        "passed through 127.0.0.1",
    ]


def call_as_who_distrusts(port: int) -> None:
    """Call a provider as requests does, which says in an alert that it does not trust us; asyncio just leaves."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        ssl.create_default_context().wrap_socket(connection, server_hostname="api.telnyx.com")


async def test_a_program_that_distrusts_us_sends_nothing_and_is_named(catcher: Catcher) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(call_as_who_distrusts, catcher.listener)
    while not catcher.tally.report():  # the alert comes after the client has given up
        await asyncio.sleep(0)
    (line,) = catcher.tally.report()
    assert line.startswith("refused api.telnyx.com, once: the program does not trust our certificate")
    assert catcher.server.asked == []


async def test_a_program_that_leaves_without_a_request_is_named(catcher: Catcher) -> None:
    trusting = ssl.create_default_context(cadata=catcher.certificate.decode())
    _, writer = await asyncio.open_connection(
        "127.0.0.1", catcher.listener, ssl=trusting, server_hostname="api.telnyx.com"
    )
    writer.close()
    while not catcher.tally.report():
        await asyncio.sleep(0)
    (line,) = catcher.tally.report()
    assert line.startswith("refused api.telnyx.com, once: connected, and left without a request")


async def test_the_listener_reads_the_host_from_the_client_and_is_nobody_elses(catcher: Catcher) -> None:
    trusting = ssl.create_default_context(cadata=catcher.certificate.decode())
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", catcher.listener, ssl=trusting, server_hostname="example.com")
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", catcher.listener, ssl=trusting, server_hostname="API.Plivo.com"
    )
    writer.write(b"GET //v1/a%2Bb?c=%2b HTTP/1.1\r\nhost: api.plivo.com\r\nconnection: close\r\n\r\n")
    assert b'"/plivo//v1/a%2Bb?c=%2b"' in await reader.read()
    writer.close()


async def test_a_program_that_gives_up_has_sent_its_text_all_the_same(catcher: Catcher) -> None:
    catcher.server.may_answer.clear()
    async with client_through(catcher.proxy, catcher.certificate) as client:
        call = asyncio.create_task(client.post(MESSAGES, content=b"Body=1"))
        await catcher.server.was_asked.wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    catcher.server.may_answer.set()
    async with client_through(catcher.proxy, catcher.certificate) as client:
        assert (await client.post(MESSAGES, content=b"Body=2")).status_code == 201
    assert [asked.body for asked in catcher.server.asked] == [b"Body=1", b"Body=2"]


async def test_many_calls_at_once_are_all_answered(catcher: Catcher) -> None:
    async with client_through(catcher.proxy, catcher.certificate, limits=httpx2.Limits(max_connections=30)) as client:
        answers = await asyncio.gather(*(client.post(MESSAGES, content=b"n" * count) for count in range(30)))
    assert [answer.json()["bytes"] for answer in answers] == list(range(30))


async def test_an_expected_body_is_asked_for(catcher: Catcher) -> None:
    trusting = ssl.create_default_context(cadata=catcher.certificate.decode())
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", catcher.listener, ssl=trusting, server_hostname="api.twilio.com"
    )
    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    writer.write(b"1234")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 201 ")
    writer.close()


async def test_what_an_application_signed_with_a_key_of_amazon_has_ours_instead_on_the_way(catcher: Catcher) -> None:
    signed = "AWS4-HMAC-SHA256 Credential=AKIA123/20260101/eu-west-1/sns/aws4_request, SignedHeaders=host, Signature=ab"
    async with client_through(catcher.proxy, catcher.certificate) as client:
        await client.post("https://sns.eu-west-1.amazonaws.com/", headers={"authorization": signed})
    (asked,) = catcher.server.asked
    assert asked.target == "/sns/"
    assert asked.headers["authorization"] == "Bearer the-key-of-the-catcher"


async def test_further_connections_wait_until_one_ends() -> None:
    served: list[socket.socket] = []
    ends = [asyncio.Event(), asyncio.Event()]

    async def serve(connection: socket.socket) -> None:
        end = ends[len(served)]
        served.append(connection)
        await end.wait()
        connection.close()
        raise ValueError("a connection that breaks breaks no other")

    async with accepting(serve, most=1) as port:
        first, second = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        while not served:
            await asyncio.sleep(0)
        ends[0].set()
        assert await first[0].read() == b""
        while len(served) == 1:
            await asyncio.sleep(0)
        ends[1].set()
        assert await second[0].read() == b""
    for _, writer in (first, second):
        writer.close()


async def test_a_server_that_is_away_is_said_and_nothing_goes_elsewhere(authority: Authority) -> None:
    tally = Tally()
    forwarder = Forwarder(Destination("http://127.0.0.1:1", KEY), tally)
    async with (
        TlsListener(authority, forwarder, tally).open() as listener,
        Proxy(listener, forwarder, tally).open() as proxy,
        client_through(proxy, authority.certificate) as client,
    ):
        answer = await client.post(MESSAGES, content=b"x" * 1_000_000)
    assert answer.status_code == 502
    assert answer.text.startswith("smscatch: the server at 127.0.0.1:1 does not answer: ")
    assert tally.report()[0].startswith("caught api.twilio.com, answered 502 once; 502 is for a server that")


async def test_the_listener_takes_plain_http_too_for_the_host_that_each_request_names(catcher: Catcher) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", catcher.listener)
    for host in ("REST.nexmo.com", "api.plivo.com:80"):
        writer.write(f"GET /x HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 201 ")
        await reader.readuntil(b"}")
    writer.write(b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 502 ")
    writer.close()
    assert [asked.target for asked in catcher.server.asked] == ["/vonage/x", "/plivo/x"]


async def test_who_says_nothing_keeps_nobody_from_the_end(authority: Authority) -> None:
    tally = Tally()
    forwarder = Forwarder(Destination("http://127.0.0.1:1", KEY), tally)
    async with TlsListener(authority, forwarder, tally).open() as listener:
        silent, writer = await asyncio.open_connection("127.0.0.1", listener)
        # Another that is served meanwhile shows that the silent one has been accepted.
        other, closing = await asyncio.open_connection("127.0.0.1", listener)
        closing.write(b"\n")
        closing.write_eof()
        await other.read()
    assert await silent.read() == b""
    for each in (writer, closing):
        each.close()
