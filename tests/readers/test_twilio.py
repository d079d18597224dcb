"""Twilio's own SDK for Python reads what came in and what was caught, pointed at smscatch by its base URL alone."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import twilio.rest
from twilio.base.exceptions import TwilioException, TwilioRestException

from smscatch.messages import Query
from tests.readers.conftest import APART, LINE, OTHER_LINE, House

SID = "AC" + "0" * 32
SERVICE = "MG" + "1" * 32
NIGHT = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)


def connect(house: House, key: str) -> twilio.rest.Client:
    client = twilio.rest.Client(SID, key)
    client.api.base_url = house.url
    return client


@pytest.fixture
def client(house: House) -> twilio.rest.Client:
    return connect(house, house.key("admin"))


def bodies(client: twilio.rest.Client, **given: Any) -> list[str | None]:
    return [message.body for message in client.messages.list(**given)]


def refusal(call: Callable[[], object]) -> tuple[int, int]:
    """Return status and code of the error that a call raises; that of a list has them in its answer alone."""
    with pytest.raises(TwilioException) as caught:
        call()
    if isinstance(caught.value, TwilioRestException):
        return caught.value.status, caught.value.code
    answer = caught.value.args[1]
    return answer.status_code, json.loads(answer.text)["code"]


def test_what_came_in_and_what_was_caught_is_told_apart_by_its_direction(
    house: House, client: twilio.rest.Client
) -> None:
    house.receive(text="Your code is 482913", sender="+447555111222", line=LINE)
    sent = client.messages.create(to=LINE, from_="Acme", body="caught")
    caught, came = client.messages.list(to=LINE)
    assert (came.direction, came.status, came.body) == ("inbound", "received", "Your code is 482913")
    assert (came.from_, came.to, came.num_segments, came.num_media) == ("+447555111222", LINE, "1", "0")
    assert re.fullmatch("SM[0-9a-f]{32}", came.sid or "")
    assert came.account_sid == SID
    assert came.date_sent == came.date_created == came.date_updated
    assert isinstance(came.date_sent, datetime)
    assert abs(datetime.now(UTC) - came.date_sent) < timedelta(days=1)
    assert (caught.direction, caught.status, caught.sid, caught.from_) == (
        "outbound-api",
        "delivered",
        sent.sid,
        "Acme",
    )
    assert came.sid is not None
    assert client.messages(came.sid).fetch().body == came.body
    assert client.messages(came.sid).media.list() == []


def test_a_list_is_filtered_by_both_numbers(house: House, client: twilio.rest.Client) -> None:
    house.receive(text="one", sender="+447555111222", line=LINE)
    house.receive(text="two", sender="Authy", line=LINE)
    house.receive(text="three", sender="Authy", line=OTHER_LINE)
    assert bodies(client) == ["three", "two", "one"]
    assert bodies(client, to=LINE) == ["two", "one"]
    assert bodies(client, from_="authy") == ["three", "two"]
    assert bodies(client, to=LINE, from_="Authy") == ["two"]
    assert bodies(client, from_="447555111222") == ["one"]
    assert bodies(client, to="+447700900999") == bodies(client, to="nobody") == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"date_sent": date(2026, 11, 20)}, "2345"),
        ({"date_sent": "2026-11-20"}, "2345"),
        ({"date_sent": NIGHT + timedelta(hours=12)}, "34"),
        ({"date_sent_before": NIGHT + timedelta(hours=12)}, "1234"),
        ({"date_sent_before": "2026-11-20"}, "12345"),
        ({"date_sent_after": NIGHT + timedelta(hours=12)}, "3456"),
        ({"date_sent_after": "2026-11-20"}, "23456"),
        ({"date_sent_after": "2026-11-20", "date_sent_before": "2026-11-20T00:00:00Z"}, "2"),
        ({"date_sent_after": "2026-11-20T01:00:00+01:00", "date_sent_before": NIGHT + timedelta(hours=1)}, "2"),
        ({"date_sent_after": "2026-11-22"}, ""),
    ],
)
def test_a_list_is_limited_to_a_day_a_second_or_a_time_on_either_side(
    house: House, client: twilio.rest.Client, given: dict[str, Any], expected: str
) -> None:
    noon = timedelta(hours=12)
    ages = (
        timedelta(seconds=-1),
        timedelta(0),
        noon,
        noon + timedelta(milliseconds=900),
        2 * noon - timedelta(seconds=1),
    )
    for number, age in enumerate((*ages, 2 * noon), start=1):
        house.receive(text=str(number), received_at=NIGHT + age)
    assert "".join(reversed([f"{body}" for body in bodies(client, **given)])) == expected


def test_pages_follow_one_another_with_their_filters_while_texts_come(house: House, client: twilio.rest.Client) -> None:
    for number in range(7):
        house.receive(text=f"{number}", line=LINE)
        house.receive(text="of another line", line=OTHER_LINE)
    page = client.messages.page(to=LINE, date_sent_after="2026-01-01", page_size=3)
    seen = [[message.body for message in page]]
    house.receive(text="later", line=LINE)
    while (following := page.next_page()) is not None:
        page = following
        seen.append([message.body for message in page])
    assert seen == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert bodies(client, to=LINE, page_size=2) == ["later", "6", "5", "4", "3", "2", "1", "0"]
    assert bodies(client, to=LINE, limit=2) == ["later", "6"]


def test_a_text_that_came_in_is_deleted_by_an_administrator_alone(house: House, client: twilio.rest.Client) -> None:
    sid = f"SM{house.receive().id}"
    both = connect(house, house.key("read", "send"))
    assert both.messages(sid).fetch().direction == "inbound"
    assert refusal(both.messages(sid).delete) == (403, 20403)
    own = both.messages.create(to="+12015550123", from_="Acme", body="own")
    assert both.messages(own.sid).delete()
    assert client.messages(sid).delete()
    assert refusal(client.messages(sid).fetch) == (404, 20404)
    house.do(house.inbox.store.delete_lines(["+12015550123"]))


def test_a_key_sees_what_its_scope_and_its_lines_let_it(house: House, client: twilio.rest.Client) -> None:
    came = house.receive(text="came", line=LINE)
    client.messages.create(to=LINE, from_=None, messaging_service_sid=SERVICE, body="of the administrator")
    sender, reader = connect(house, house.key("send")), connect(house, house.key("read"))
    foreign = connect(house, house.key("read", lines=(APART,)))
    sender.messages.create(to=OTHER_LINE, from_="Acme", body="own")
    assert bodies(sender) == ["own"]
    assert bodies(reader) == ["own", "of the administrator", "came"]
    assert reader.messages.list()[1].messaging_service_sid == SERVICE
    assert bodies(foreign) == []
    for reading in (sender, foreign):
        assert refusal(reading.messages(f"SM{came.id}").fetch) == (404, 20404)
        assert refusal(reading.messages(f"SM{came.id}").media.list) == (404, 20404)
    assert refusal(lambda: foreign.messages.list(to=LINE)) == (403, 20403)
    assert refusal(lambda: reader.messages.create(to=LINE, from_="Acme", body="x")) == (403, 20403)
    assert refusal(reader.messages(f"SM{came.id}").delete) == (403, 20403)
    assert refusal(connect(house, house.key("ingest")).messages.list) == (403, 20403)
    assert refusal(connect(house, "wrong").messages.list) == (401, 20003)
    assert len(house.do(house.inbox.store.newest(Query(), 10))) == 3


def test_what_is_no_date_and_no_token_of_a_page_is_refused(client: twilio.rest.Client) -> None:
    assert refusal(lambda: client.messages.list(date_sent="yesterday")) == (400, 20001)
    assert refusal(lambda: client.messages.page(page_token="PA-1")) == (400, 20001)
