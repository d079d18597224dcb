"""Mailosaur's own client for Python, of which nothing but the base URL is changed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mailosaur import MailosaurClient
from mailosaur.models import DeviceCreateOptions, MailosaurException, PreviewRequestOptions, SearchCriteria

from smscatch.messages import NOBODY
from smscatch.totp import parse_totp
from tests.readers.conftest import APART, LABEL, LINE, OTHER_LINE, House

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
Connect = Callable[[str], MailosaurClient]


@pytest.fixture
def connect(house: House) -> Iterator[Connect]:
    """What makes a client with a key."""
    clients = []

    def make(key: str) -> MailosaurClient:
        clients.append(MailosaurClient(key, base_url=f"{house.url}/"))
        return clients[-1]

    yield make
    for client in clients:
        client.messages.session.close()


@pytest.fixture
def client(house: House, connect: Connect) -> MailosaurClient:
    return connect(house.key("admin"))


def criteria(**given: str) -> SearchCriteria:
    found = SearchCriteria()
    for name, value in given.items():
        setattr(found, name, value)
    return found


def texts(client: MailosaurClient, server: str = LABEL, **given: str) -> list[str]:
    found = client.messages.search(server, criteria(**given), received_after=LONG_AGO)
    return [item.summary for item in found.items]


def test_a_text_is_waited_for_and_read_with_its_code_and_its_link(house: House, client: MailosaurClient) -> None:
    text = "Your code is 482913, or use https://app.example/v/7"
    sending = house.receive_when_awaited(text=text, sender="+447555111222")
    found = client.messages.get(
        LABEL, criteria(sent_to=LINE), timeout=300_000, received_after=datetime.now(UTC) - timedelta(minutes=1)
    )
    sending.join()
    assert (found.type, found.server, found.subject, found.text.body) == ("SMS", LABEL, "", text)
    assert [code.value for code in found.text.codes] == ["482913"]
    assert [link.href for link in found.text.links] == ["https://app.example/v/7"]
    assert (found.sender[0].phone, found.to[0].phone) == ("447555111222", LINE.removeprefix("+"))
    assert (found.cc, found.bcc, found.attachments, found.html.links) == ([], [], [], [])
    assert found.received.tzinfo is not None


def test_a_wait_in_vain_ends_as_it_does_at_mailosaur(client: MailosaurClient) -> None:
    with pytest.raises(MailosaurException) as caught:
        client.messages.get(LABEL, criteria(sent_from="nobody"), timeout=1)
    assert caught.value.error_type == "search_timeout"
    found = client.messages.search(LABEL, criteria(body="x"), timeout=1, error_on_timeout=False)
    assert found.items == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["three", "Two", "one"]),
        ({"sent_from": "Authy"}, ["Two"]),
        ({"sent_from": "authy"}, ["Two"]),
        ({"sent_from": "+447555111222"}, ["one"]),
        ({"sent_from": "447555111222"}, ["one"]),
        ({"sent_from": "00447555111222"}, ["one"]),
        ({"sent_to": LINE}, ["Two", "one"]),
        ({"sent_to": LINE.removeprefix("+")}, ["Two", "one"]),
        ({"sent_to": "0044 7700 900002"}, ["three"]),
        ({"sent_to": APART}, []),
        ({"sent_to": "somebody@abcd1234.mailosaur.net"}, []),
        ({"body": "tWO"}, ["Two"]),
        ({"body": "o"}, ["Two", "one"]),
        ({"subject": "two"}, []),
        ({"sent_to": LINE, "body": "one"}, ["one"]),
        ({"sent_to": OTHER_LINE, "body": "one"}, []),
        ({"sent_to": OTHER_LINE, "body": "one", "match": "ANY"}, ["three", "one"]),
        ({"sent_from": "Authy", "subject": "one", "match": "ANY"}, ["Two"]),
        ({"sent_to": APART, "body": "T", "match": "ANY"}, ["three", "Two"]),
        ({"subject": "one", "match": "ANY"}, []),
        ({"match": "ANY"}, ["three", "Two", "one"]),
    ],
)
def test_a_search_finds_what_fits_all_or_any_of_its_criteria(
    house: House, client: MailosaurClient, given: dict[str, str], expected: list[str]
) -> None:
    house.receive(text="one", sender="+447555111222")
    house.receive(text="Two", sender="Authy")
    house.receive(text="three", sender="Bank", line=OTHER_LINE)
    house.receive(text="of another server: one, two", line=APART, sender="Authy")
    assert texts(client, **given) == expected


def test_a_list_is_paged_newest_first_and_limited_to_a_time(house: House, client: MailosaurClient) -> None:
    now = datetime.now(UTC)
    for age in range(6, 0, -1):
        house.receive(text=f"{age} min", received_at=now - timedelta(minutes=age))

    def listed(**given: Any) -> list[str]:
        return [item.summary for item in client.messages.list(LABEL, **given).items]

    assert listed() == [f"{age} min" for age in range(1, 7)]
    assert [listed(page=page, items_per_page=4) for page in range(3)] == [
        ["1 min", "2 min", "3 min", "4 min"],
        ["5 min", "6 min"],
        [],
    ]
    after = now - timedelta(minutes=3, seconds=30)
    assert listed(received_after=after) == ["1 min", "2 min", "3 min"]
    assert listed(received_after=after, page=1, items_per_page=2) == ["3 min"]
    assert (len(listed(dir="Received")), listed(dir="Sent")) == (6, [])


def test_pages_reach_behind_what_is_read_from_the_store_at_once(house: House, client: MailosaurClient) -> None:
    house.receive_all({"text": f"number {number}", "line": (LINE, OTHER_LINE)[number % 2]} for number in range(230))
    either = criteria(sent_to=LINE, body="number", match="ANY")
    pages = [client.messages.search(LABEL, either, page=page, items_per_page=70) for page in range(4)]
    found = [item.summary for page in pages for item in page.items]
    assert found == [f"number {number}" for number in range(229, -1, -1)]


def test_what_came_to_nobodys_phone_is_neither_listed_nor_waited_for(house: House, client: MailosaurClient) -> None:
    house.receive(text="the last code is 111111")
    house.receive(text="kept back: your code is 482913", lease=NOBODY)
    assert texts(client) == texts(client, body="code") == ["the last code is 111111"]
    assert [item.summary for item in client.messages.list(LABEL, items_per_page=1).items] == ["the last code is 111111"]


def test_one_message_and_all_of_a_server_are_deleted(house: House, client: MailosaurClient) -> None:
    kept = house.receive(text="stays", line=APART)
    house.receive(text="first")
    newest = house.receive(text="second")
    item = client.messages.list(LABEL).items[0]
    assert item.id.replace("-", "") == newest.id
    client.messages.delete(item.id)
    assert texts(client) == ["first"]
    with pytest.raises(MailosaurException) as caught:
        client.messages.get_by_id(item.id)
    assert (caught.value.error_type, caught.value.http_status_code) == ("invalid_request", 404)
    client.messages.delete_all(LABEL)
    assert texts(client) == []
    assert client.messages.get_by_id(kept.id).text.body == "stays"


def test_a_server_is_a_label_a_line_or_a_lease(house: House, client: MailosaurClient) -> None:
    house.receive(text="before", line=APART)
    lease = house.lease(APART)
    house.receive_for(lease, text="leased")
    house.receive(text="of a line in no list", line="+447700900888")
    for name in ("apart", APART, "0044 7700 900777", APART[-8:]):
        assert texts(client, name) == ["leased", "before"], name
    for name in (lease.id, lease.id[:8]):
        assert texts(client, name) == ["leased"], name
    assert texts(client, "00900888") == ["of a line in no list"]
    client.messages.delete_all(lease.id[:8])
    assert texts(client, APART) == ["before"]
    house.do(house.leases.release(lease))
    house.do(house.inbox.store.delete_lines(["+447700900888"]))


def test_a_device_shows_the_code_of_its_secret_to_the_key_that_made_it(house: House, connect: Connect) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    devices = connect(house.key("read")).devices
    assert devices.list().items == []
    phone = devices.create(DeviceCreateOptions({"name": "phone", "shared_secret": secret}))
    devices.create(DeviceCreateOptions({"name": "other", "shared_secret": "otpauth://totp/x?secret=GEZDGNBV&digits=8"}))
    listed = devices.list().items
    assert [device["name"] for device in listed] == ["phone", "other"]
    assert listed[0] == {"id": phone.id, "name": "phone"}
    for asked in (phone.id, secret):
        shown = devices.otp(asked)
        began = shown.expires.timestamp() - 30
        assert (began % 30, shown.code) == (0, parse_totp(secret).code(began))
    assert len(devices.otp(listed[1]["id"]).code) == 8

    others = connect(house.key("read")).devices
    assert others.list().items == []
    for call in (others.otp, others.delete):
        with pytest.raises(MailosaurException) as caught:
            call(phone.id)
        assert caught.value.http_status_code == 404
    with pytest.raises(MailosaurException, match="is no base32") as caught:
        devices.otp("12345678")
    assert caught.value.http_status_code == 400
    devices.delete(phone.id)
    assert [device["name"] for device in devices.list().items] == ["other"]


def test_servers_are_listed_as_the_lines_are_called(house: House, client: MailosaurClient) -> None:
    house.receive(line=LINE)
    house.receive(line=OTHER_LINE)
    house.receive(line="+4915155512345")
    listed = [(each["id"], each["name"], each["messages"]) for each in client.servers.list().items]
    assert listed == [("55512345", "+4915155512345", 1), (LABEL, LABEL, 2), ("apart", "apart", 0)]
    assert client.servers.get(LABEL).messages == 2
    with pytest.raises(MailosaurException) as caught:
        client.servers.get("nosuch12")
    assert (caught.value.error_type, caught.value.http_status_code) == ("invalid_request", 404)
    house.do(house.inbox.store.delete_lines(["+4915155512345"]))


def test_what_is_refused_raises_the_error_that_mailosaur_would(
    house: House, client: MailosaurClient, connect: Connect
) -> None:
    message = house.receive()
    reader = connect(house.key("read"))
    foreign = connect(house.key("read", lines=(APART,)))
    calls: list[tuple[Callable[[], object], str, int]] = [
        (lambda: connect("wrong").messages.list(LABEL), "authentication_error", 401),
        (lambda: connect(house.key("ingest")).messages.list(LABEL), "permission_error", 403),
        (lambda: reader.messages.delete(message.id), "permission_error", 403),
        (lambda: reader.messages.delete_all(LABEL), "permission_error", 403),
        (lambda: foreign.messages.list(LINE), "permission_error", 403),
        (lambda: foreign.messages.list(LABEL), "invalid_request", 404),
        (lambda: foreign.messages.get_by_id(message.id), "invalid_request", 404),
        (lambda: client.messages.get("nosuch12", criteria(body="x")), "invalid_request", 404),
        (lambda: client.messages.get_by_id("latest"), "invalid_request", 404),
        (lambda: client.messages.list(""), "invalid_request", 400),
        (lambda: client.messages.list(LABEL, items_per_page=0), "invalid_request", 400),
        (lambda: client.messages.list(LABEL, page=20_000), "invalid_request", 400),
        (lambda: texts(client, match="SOME"), "invalid_request", 400),
        (lambda: texts(client, body="x" * 501), "invalid_request", 400),
        (lambda: client.messages.generate_previews(message.id, PreviewRequestOptions([])), "invalid_request", 400),
    ]
    for number, (call, kind, status) in enumerate(calls):
        with pytest.raises(MailosaurException) as caught:
            call()
        assert (number, caught.value.error_type, caught.value.http_status_code) == (number, kind, status)
    with pytest.raises(MailosaurException, match=r"\(itemsPerPage\) itemsPerPage = '0' is not accepted"):
        client.messages.list(LABEL, items_per_page=0)
    assert client.previews.list_email_clients().items == []
