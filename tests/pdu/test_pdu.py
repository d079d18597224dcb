"""TS 23.040: what a modem gives is read, whatever it is; what we write reads back."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smscatch.errors import BadRequest
from smscatch.pdu import (
    Concat,
    Options,
    StatusReport,
    encode_deliver,
    encode_status_report,
    encode_submit,
    join_text,
    parse_pdu,
    tpdu_length,
)
from smscatch.pdu.alphabets import Shift
from smscatch.pdu.tables import LANGUAGES, LOCKING, SINGLE
from tests.pdu.pdus import SENT_AT, a_pdu, read, read_all

GSM7_CHARACTERS = "".join({*LOCKING[0].values(), *SINGLE[0].values()})
TEXTS = st.text(max_size=500) | st.text(GSM7_CHARACTERS, max_size=500)


@given(TEXTS, st.sampled_from([{}, {"alphabet": "ucs2"}]), st.booleans())
def test_any_text_reads_back(text: str, options: Options, wide: bool) -> None:
    chosen: Options = {**options, "reference": 0xABCD, "wide_reference": wide}
    parts = read_all(encode_deliver("Google", text, SENT_AT, **chosen))
    assert join_text(parts) == text
    assert all(part.sender == "Google" and part.sent_at == SENT_AT for part in parts)
    reference = 0xABCD if wide else 0xCD
    numbered = [Concat(reference, len(parts), number, wide) for number in range(1, len(parts) + 1)]
    assert [part.concat for part in parts] == (numbered if len(parts) > 1 else [None])


@given(st.data(), st.sampled_from(list(LANGUAGES)), st.booleans())
def test_any_text_of_a_language_reads_back(data: st.DataObject, language: str, locking: bool) -> None:
    number = LANGUAGES[language]
    main = LOCKING[number if locking and number in LOCKING else 0]
    text = data.draw(st.text(sorted({*main.values(), *SINGLE[number].values()}), max_size=400))
    parts = read_all(encode_deliver("Google", text, SENT_AT, alphabet="gsm7", language=language, locking=locking))
    assert join_text(parts) == text
    assert {part.alphabet for part in parts} == {"gsm7"}


@given(TEXTS)
def test_each_part_is_whole_by_itself(text: str) -> None:
    parts = read_all(encode_deliver("Google", text, SENT_AT))
    assert "".join(part.text or "" for part in parts) == text


@given(st.text(GSM7_CHARACTERS + "😀漢", min_size=1, max_size=60), st.integers(1, 7), st.randoms())
def test_parts_cut_anywhere_and_in_any_order_join_to_the_text(text: str, split_at: int, random: Random) -> None:
    parts = read_all(encode_deliver("Google", text, SENT_AT, split_at=split_at))
    random.shuffle(parts)
    assert join_text(parts) == text


@given(TEXTS, st.booleans())
def test_no_part_holds_more_than_140_octets(text: str, wide: bool) -> None:
    for pdu in encode_deliver("", text, SENT_AT, wide_reference=wide, ports=(1, 2)):
        assert tpdu_length(pdu) <= 13 + 140


def test_an_escape_split_over_parts_is_one_character() -> None:
    parts = read_all(encode_deliver("Google", "5€!", SENT_AT, split_at=2))
    assert [part.data for part in parts] == [b"5\x1b", b"e!"]
    assert join_text(parts) == "5€!"


def test_a_surrogate_pair_split_over_parts_is_one_character() -> None:
    parts = read_all(encode_deliver("Google", "a😀b", SENT_AT, split_at=2))
    assert [part.text for part in parts] == ["a\ufffd", "\ufffdb"]
    assert join_text(parts) == "a😀b"


def test_a_utf_16_unit_split_over_parts_is_one_character() -> None:
    parts = [a_pdu(first="44", dcs="08", ud=ud) for ud in ("0B0500030702010061D83DDE", "090500030702020000" + "62")]
    assert join_text(read_all(parts)) == "a😀b"


def test_a_missing_part_is_left_out_and_mends_nothing() -> None:
    parts = read_all(encode_deliver("Google", "ab€e", SENT_AT, split_at=1))
    assert join_text([parts[0], parts[2], parts[4]]) == "a e"


def test_parts_in_different_alphabets_join() -> None:
    first = read(encode_deliver("Google", "x" * 161, SENT_AT)[0])
    last = read(encode_deliver("Google", "x" * 67 + "漢字", SENT_AT, split_at=67)[1])
    assert join_text([last, first]) == "x" * 153 + "漢字"


def test_a_message_with_a_binary_part_has_no_text() -> None:
    assert join_text(read_all(encode_deliver("Google", "", SENT_AT, data=b"\0" * 200))) is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        *[("x" * 160, 1), ("x" * 161, 2), ("x" * 306, 2), ("x" * 307, 3), ("x" * 459, 3), ("x" * 460, 4)],
        *[("€" * 80, 1), ("€" * 79 + "x", 1), ("€" * 153, 3), ("€" * 229 + "x", 4)],
        *[("ő" * 70, 1), ("ő" * 70 + "x", 2), ("ő" * 134, 2), ("ő" * 134 + "x", 3), ("ő" * 201 + "x", 4)],
    ],
)
def test_a_text_takes_as_many_parts_as_python_messaging_counts(text: str, parts: int) -> None:
    assert len(encode_submit("+3530000000", text)) == parts


@pytest.mark.parametrize(("count", "lengths"), [(77, [77]), (78, [74, 4]), (160, [74, 74, 12])])
def test_turkish_splits_as_aosp_splits_it(count: int, lengths: list[int]) -> None:
    text = ("ĞŞİğşı" * 27)[:count]
    parts = read_all(encode_deliver("Google", text, SENT_AT, language="turkish"))
    assert [len(part.text or "") for part in parts] == lengths
    assert {part.shift for part in parts} == {Shift(locking=0, single=1)}


def test_a_locking_table_saves_the_escapes() -> None:
    parts = read_all(encode_deliver("Google", "ğş" * 75, SENT_AT, language="turkish", locking=True))
    assert [part.text for part in parts] == ["ğş" * 75]
    assert parts[0].shift == Shift(locking=1, single=1)


def test_a_flash_message_has_class_0() -> None:
    assert read(encode_deliver("Google", "Hi", SENT_AT, message_class=0)[0]).message_class == 0


def test_a_text_for_a_port_is_still_a_text() -> None:
    message = read(encode_deliver("Google", "Hi", SENT_AT, ports=(2948, 9200))[0])
    assert (message.text, message.ports) == ("Hi", (2948, 9200))


@given(st.binary(max_size=400))
def test_8_bit_data_reads_back_and_has_no_text(data: bytes) -> None:
    parts = read_all(encode_deliver("Google", "", SENT_AT, data=data))
    assert b"".join(part.data for part in parts) == data
    assert {part.text for part in parts} == {None}


def test_a_compressed_text_is_kept_as_octets() -> None:
    message = read(a_pdu(dcs="20", ud="03C0FFEE"))  # then TP-UDL counts octets (9.2.3.16)
    assert (message.text, message.data) == (None, b"\xc0\xff\xee")


@pytest.mark.parametrize(("dcs", "text"), [("0C", "Hi"), ("80", "Hi"), ("C8", "Hi"), ("E0", "乩")])
def test_a_coding_scheme_that_stops_gammu_is_read(dcs: str, text: str) -> None:
    ud = "024E69" if dcs == "E0" else "02C834"
    assert read(a_pdu(dcs=dcs, ud=ud)).text == text


def test_a_status_report_reads_back() -> None:
    later = SENT_AT + timedelta(seconds=9)
    pdu = encode_status_report("+4915", 263, sent_at=SENT_AT, discharged_at=later, status=0x41, smsc="+49171")
    assert parse_pdu(pdu) == StatusReport(
        smsc="+49171", reference=7, recipient="+4915", sent_at=SENT_AT, discharged_at=later, status=0x41
    )


def test_a_status_of_more_than_an_octet_is_refused() -> None:
    with pytest.raises(BadRequest, match="256 is no status"):
        encode_status_report("+4915", 7, sent_at=SENT_AT, discharged_at=SENT_AT, status=256)


def test_what_follows_the_status_of_a_report_is_ignored() -> None:
    pdu = encode_status_report("+4915", 7, sent_at=SENT_AT, discharged_at=SENT_AT)
    assert parse_pdu(pdu + "07000002C834") == parse_pdu(pdu)


def test_an_outgoing_long_message_has_the_parts_of_a_received_one() -> None:
    text = "Lorem ipsum " * 30
    received = encode_deliver("+4915", text, SENT_AT, reference=9)
    outgoing = encode_submit("+4915", text, reference=9)
    assert [pdu[-268:] for pdu in outgoing[:2]] == [pdu[-268:] for pdu in received[:2]]
    assert outgoing[0].startswith("0041000491945100")


REFUSED: list[tuple[Options, str]] = [
    ({"alphabet": "gsm7"}, "GSM 7-bit lacks"),
    ({"alphabet": "8bit"}, "sent as `data`"),
    ({"data": b"x"}, "sent as `data`"),
    ({"alphabet": "utf8"}, "'utf8' is no alphabet"),  # type: ignore[typeddict-item]
    ({"language": "klingon"}, "'klingon' has no shift table"),
    ({"message_class": 4}, "4 is no message class"),
    ({"ports": (1, 65536)}, r"\(1, 65536\) are no ports"),
    ({"split_at": 0}, "Cannot split at 0"),
    ({"split_at": 68}, "Cannot split at 68"),
    ({"smsc": "SMSC"}, "'SMSC' is no SMSC"),
]


@pytest.mark.parametrize(("options", "reason"), REFUSED)
def test_options_that_do_not_fit_are_refused(options: Options, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        encode_deliver("Google", "漢字", SENT_AT, **options)


def test_a_text_of_more_than_255_parts_is_refused() -> None:
    assert len(encode_deliver("Google", "x" * 153 * 255, SENT_AT)) == 255
    with pytest.raises(BadRequest, match="needs 256 parts"):
        encode_deliver("Google", "x" * (153 * 255 + 1), SENT_AT)
