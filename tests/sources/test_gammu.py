"""What gammu-smsd 1.42 hands over, and what becomes of it. The variables are as the real one set them."""

from datetime import UTC, datetime

import pytest

from smscatch.errors import BadDelivery
from smscatch.messages import Message
from smscatch.sources import read_delivery

TIME_NS = 1_795_345_200_123_456_789


def body(variables: dict[str, str | bytes]) -> bytes:
    records: dict[str, str | bytes] = {"time_ns": str(TIME_NS), "reader": "42:1", **variables}
    encoded = [(name, value.encode() if isinstance(value, str) else value) for name, value in records.items()]
    return b"".join(name.encode() + b"=" + value + b"\0" for name, value in encoded)


def sms(*texts: str, number: str = "Google", **more: str | bytes) -> dict[str, str | bytes]:
    """One call of the hook: a text per SMS, as gammu sets them for a single SMS."""
    variables: dict[str, str | bytes] = {
        "SMS_MESSAGES": str(len(texts) or 1),
        "DECODED_PARTS": "0",
        "PHONE_ID": "stick",
    }
    for n, text in enumerate(texts, start=1):
        variables |= {
            f"SMS_{n}_NUMBER": number,
            f"SMS_{n}_CLASS": "-1",
            f"SMS_{n}_REFERENCE": "0",
            f"SMS_{n}_TEXT": text,
        }
    return variables | more


def read(variables: dict[str, str | bytes]) -> list[Message]:
    found = read_delivery("gammu", body(variables), "0001-ab", lambda phone_id: f"line of {phone_id}")
    return [message for message in found if isinstance(message, Message)]


def read_one(variables: dict[str, str | bytes]) -> Message:
    (message,) = read(variables)
    return message


def test_a_single_sms_has_its_text_in_its_own_variable() -> None:
    message = read_one(sms("G-123456 is your Google verification code."))
    assert (message.sender, message.text, message.code) == (
        "Google",
        "G-123456 is your Google verification code.",
        "123456",
    )
    assert (message.line, message.source, message.reader) == ("line of stick", "gammu", "42:1")
    assert (message.parts, message.complete, message.marks) == (1, True, ())
    assert message.received_at == datetime.fromtimestamp(TIME_NS // 10**6 / 1000, UTC)


def test_the_same_entry_read_again_is_the_same_message() -> None:
    assert read(sms("x")) == read(sms("x"))


def test_a_long_text_is_the_decoded_one() -> None:
    message = read_one(sms("Hel", "lo 😀", "!", DECODED_PARTS="1", DECODED_1_TEXT="Hello 😀!"))
    assert (message.text, message.parts, message.complete) == ("Hello 😀!", 3, True)


def test_a_part_without_the_others_is_incomplete() -> None:
    message = read_one(sms("the mid", DECODED_PARTS="1", DECODED_1_TEXT="the mid"))
    assert (message.text, message.complete) == ("the mid", False)


def test_a_single_sms_with_an_uncommon_header_is_complete() -> None:
    variables = sms("x", DECODED_PARTS="1", DECODED_1_TEXT="Merhaba")
    del variables["SMS_1_TEXT"]
    message = read_one(variables)
    assert (message.text, message.complete) == ("Merhaba", True)


def test_what_has_no_text_is_kept_and_marked_undecodable() -> None:
    variables = sms("x", number="+491701234567")
    del variables["SMS_1_TEXT"]
    message = read_one(variables)
    assert (message.text, message.marks, message.sender) == ("", ("undecodable",), "+491701234567")


@pytest.mark.parametrize("number", ["+491701234567", "491701234567", "01701234567", "0049170123456", "32665", "+32665"])
def test_a_number_stays_as_gammu_hands_it_over(number: str) -> None:
    assert read_one(sms("x", number=number)).sender == number


def test_an_empty_text_is_a_text() -> None:
    assert read_one(sms("")).marks == ()


def test_a_flash_sms_is_marked() -> None:
    assert read_one(sms("FLASH!", SMS_1_CLASS="0")).marks == ("flash",)


def test_a_status_report_is_marked() -> None:
    message = read_one(sms("Delivered", number="+491709999999", SMS_1_CLASS="0", SMS_1_REFERENCE="7"))
    assert message.marks == ("status_report",)


def test_an_mms_notification_says_what_waits_where() -> None:
    variables = sms(
        "x",
        DECODED_PARTS="1",
        DECODED_1_MMS_ADDRESS="http://mms.example/abc",
        DECODED_1_MMS_SENDER="+491709999999/TYPE=PLMN",
        DECODED_1_MMS_SIZE="30000",
        DECODED_1_MMS_TITLE="Hi there",
    )
    del variables["SMS_1_TEXT"]
    message = read_one(variables)
    assert message.text == "MMS notification: Hi there (30000 bytes) http://mms.example/abc"
    assert message.marks == ("mms",)


def test_parts_of_different_senders_become_messages_of_their_own() -> None:
    variables = sms("Google one ", "and Authy's two", "Google three", DECODED_PARTS="1", DECODED_1_TEXT="mixed up")
    variables["SMS_2_NUMBER"] = "Authy"
    google, authy = read(variables)
    assert (google.sender, google.text, google.parts, google.complete) == (
        "Google",
        "Google one Google three",
        2,
        False,
    )
    assert (authy.sender, authy.text, authy.complete) == ("Authy", "and Authy's two", False)
    assert google.marks == authy.marks == ("mixed_senders",)
    assert google.id != authy.id


@pytest.mark.parametrize(
    "sent", ["Grüße 5€ [a]{b}", "Код: 1234", "验证码 1234", "Hi 😀👍🏽", 'it\'s "R&D"; $HOME\nline 2']
)
def test_utf_8_comes_through_as_it_is(sent: str) -> None:
    assert read_one(sms(sent)).text == sent


def test_bytes_of_a_latin_1_locale_are_read_as_such_and_marked() -> None:
    message = read_one(sms("x", SMS_1_TEXT="Grüße".encode("latin-1")))
    assert (message.text, message.marks) == ("Grüße", ("damaged_characters",))


def test_a_sender_may_be_missing() -> None:
    variables = sms("x")
    del variables["SMS_1_NUMBER"]
    assert read_one(variables).sender == ""


@pytest.mark.parametrize(
    ("printed", "meant"), [("M~ller", "Müller"), ("\x13\x10", "ΓΔ"), ("A\x11B", "A_B"), ("Authy", "Authy")]
)
def test_an_alphanumeric_sender_is_decoded_which_gammu_does_not(printed: str, meant: str) -> None:
    assert read_one(sms("x", number=printed)).sender == meant


@pytest.mark.parametrize("count", ["", "0", "-1", "256", "9" * 30, "two", "٣"])
def test_a_wrong_count_of_messages_is_named(count: str) -> None:
    with pytest.raises(BadDelivery, match="SMS_MESSAGES"):
        read(sms("x", SMS_MESSAGES=count))


@pytest.mark.parametrize("time_ns", ["", "yesterday", "9" * 40])
def test_a_wrong_time_is_named(time_ns: str) -> None:
    with pytest.raises(BadDelivery, match="time_ns"):
        read(sms("x", time_ns=time_ns))


def test_a_body_that_does_not_end_is_refused() -> None:
    with pytest.raises(BadDelivery, match="not whole"):
        read_delivery("gammu", body(sms("x"))[:-1], "n", str)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(BadDelivery, match="'pigeon'"):
        read_delivery("pigeon", b"", "n", str)
