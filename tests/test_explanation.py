"""Why a wait found nothing, where the reason lies outside: with the service that a number is rented from, or RCS."""

import pytest

from smscatch.explanation import NO_SMS, explain
from smscatch.messages import REDACTED, Message, Query
from tests.samples import LINE, a_message


def told(query: Query, *came: Message) -> str:
    return explain(query, came, [], {}, skip={})[0]


@pytest.mark.parametrize("query", [Query(lines=(LINE,), has_code=True), Query(lines=(LINE,), contains="482913")])
def test_a_wait_in_vain_says_that_the_service_took_the_code_out(query: Query) -> None:
    text = "Your code is ******"
    assert "took its code out, as Twilio does (error 30038)" in told(query, a_message(text=text, marks=(REDACTED,)))
    assert "30038" not in told(query, a_message(text=text))


@pytest.mark.parametrize(
    ("sender", "came_from", "is_named"),
    [
        ("+447700900123", (), True),
        ("+447700900123", ("Authy",), True),
        ("447700900123", (), True),
        ("+447700900123", ("+447700900123",), False),
        ("447700900123", ("+447700900123",), False),
        ("Authy", (), False),
        ("32665", (), False),
        (None, (), False),
    ],
)
def test_rcs_is_named_where_the_sender_may_be_a_phone_and_no_sms_came_from_it(
    sender: str | None, came_from: tuple[str, ...], is_named: bool
) -> None:
    query = Query(lines=(LINE,), sender=sender, has_code=True)
    came = [a_message(sender=one, text="Hello") for one in came_from]
    assert (NO_SMS in told(query, *came)) == is_named
