"""TS 23.038: septets, shift tables, coding schemes."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smscatch.pdu.alphabets import (
    Alphabet,
    Coding,
    Shift,
    count_open,
    decode,
    decode_septets,
    find_septets,
    pack_septets,
    read_coding,
    unpack_septets,
    write_coding,
)
from smscatch.pdu.tables import LANGUAGES, LOCKING, SINGLE

SCRIPTS = {
    "bengali": "BENGALI",
    "gujarati": "GUJARATI",
    "hindi": "DEVANAGARI",
    "kannada": "KANNADA",
    "malayalam": "MALAYALAM",
    "oriya": "ORIYA",
    "punjabi": "GURMUKHI",
    "tamil": "TAMIL",
    "telugu": "TELUGU",
    "urdu": "ARABIC",
}
LETTER_COUNTS = {  # of the script in the locking and the single shift table: a lost or doubled cell changes them
    "bengali": (67, 24),
    "gujarati": (73, 10),
    "hindi": (80, 28),
    "kannada": (73, 13),
    "malayalam": (73, 22),
    "oriya": (69, 15),
    "punjabi": (63, 16),
    "tamil": (55, 17),
    "telugu": (73, 20),
    "urdu": (80, 32),
}


def test_septets_pack_as_in_the_example_of_the_standard() -> None:
    # TS 23.038, 6.1.2.1.1: the first octet takes a bit of the second character, and so on.
    assert pack_septets(b"hellohello").hex() == "e8329bfd4697d9ec37"
    assert unpack_septets(bytes.fromhex("e8329bfd4697d9ec37"), 10) == b"hellohello"


@given(st.binary(max_size=160), st.integers(0, 6))
def test_septets_survive_packing_after_any_fill_bits(octets: bytes, fill_bits: int) -> None:
    septets = bytes(octet & 0x7F for octet in octets)
    packed = pack_septets(septets, fill_bits)
    assert len(packed) == (fill_bits + 7 * len(septets) + 7) // 8
    assert unpack_septets(packed, len(septets), fill_bits) == septets


@pytest.mark.parametrize(
    ("shift", "table"),
    [
        (
            Shift(),
            "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
            "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
        ),
        (
            Shift(locking=LANGUAGES["turkish"]),
            "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
            "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghijklmnopqrstuvwxyzäöñüà",
        ),
        (
            Shift(locking=LANGUAGES["portuguese"]),
            "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?"
            "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghijklmnopqrstuvwxyzãõ`üà",
        ),
    ],
    ids=["default", "turkish", "portuguese"],
)
def test_a_locking_table_is_the_one_that_aosp_tests(shift: Shift, table: str) -> None:
    before, after = table.split("\x1b")
    assert decode_septets(range(0x1B), shift) == before
    assert decode_septets(range(0x1C, 0x80), shift) == after


@pytest.mark.parametrize(
    ("language", "characters"),
    [
        (None, "\f^{}\\[~]|€"),
        ("turkish", "\f^{}\\[~]|ĞİŞç€ğış"),
        ("spanish", "ç\f^{}\\[~]|ÁÍÓÚá€íóú"),
        ("portuguese", "êç\fÔôÁáΦΓ^ΩΠΨΣΘÊ{}\\[~]|ÀÍÓÚÃÕÂ€íóúãõâ"),
    ],
)
def test_a_single_shift_table_is_the_one_that_aosp_tests(language: str | None, characters: str) -> None:
    single = SINGLE[LANGUAGES[language] if language else 0]
    assert "".join(single[septet] for septet in sorted(single)) == characters


@pytest.mark.parametrize("language", SCRIPTS)
def test_a_table_of_a_script_holds_that_script(language: str) -> None:
    number, script = LANGUAGES[language], SCRIPTS[language]
    counts = []
    for table in (LOCKING[number], SINGLE[number]):
        letters = [character for character in table.values() if ord(character) > 0x5FF and character != "€"]
        own = [letter for letter in letters if letter not in "\u0964\u0965" or language == "hindi"]
        assert len(set(own)) == len(own)
        assert {unicodedata.name(letter, script).split()[0] for letter in own if letter not in "\u0964\u0965"} <= {
            script,
            "EXTENDED",  # U+06F0 to U+06F9 are EXTENDED ARABIC-INDIC DIGIT
        }
        counts.append(len([letter for letter in own if letter not in "\u0964\u0965"]))
    assert tuple(counts) == LETTER_COUNTS[language]


@pytest.mark.parametrize("number", LANGUAGES.values())
def test_every_table_has_digits_letters_and_the_escaped_signs(number: int) -> None:
    shift = Shift(number if number in LOCKING else 0, number)
    assert find_septets("0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ .,!?:;() {}[]~\\^|€", shift)


def test_kannada_dda_is_where_the_standard_misprints_pa() -> None:
    assert decode_septets(b"\x24\x3d", Shift(locking=LANGUAGES["kannada"])) == "\u0ca1\u0caa"


def test_an_unassigned_septet_after_an_escape_is_the_one_of_the_main_table() -> None:
    assert decode_septets(b"\x1b\x41\x1b\x65") == "A€"
    assert decode_septets(b"\x1b\x09", Shift(locking=LANGUAGES["portuguese"])) == "ç"


def test_a_second_escape_and_one_at_the_end_are_spaces() -> None:
    assert decode_septets(b"a\x1b\x1be") == "a e"
    assert decode_septets(b"a\x1b") == "a "


def test_an_unknown_language_is_the_default_one() -> None:
    assert decode_septets(b"\x00\x1b\x65", Shift(locking=200, single=200)) == "@€"
    assert decode_septets(b"\x60", Shift(locking=LANGUAGES["spanish"])) == "¿"


def test_a_character_is_written_with_the_fewest_septets() -> None:
    turkish = Shift(LANGUAGES["turkish"], LANGUAGES["turkish"])
    assert find_septets("ğ€", turkish) == b"\x0c\x04"
    assert find_septets("*", Shift(single=LANGUAGES["hindi"], locking=LANGUAGES["hindi"])) == b"\x1b\x0b"


def test_a_text_that_gsm_7_bit_lacks_has_no_septets() -> None:
    assert find_septets("ş") is None
    assert find_septets("\x1b") is None
    assert find_septets("") == b""


@pytest.mark.parametrize(
    ("dcs", "coding"),
    [
        (0x00, Coding(Alphabet.GSM7)),
        (0x01, Coding(Alphabet.GSM7)),  # class bits without bit 4 mean nothing
        (0x04, Coding(Alphabet.EIGHT_BIT)),
        (0x08, Coding(Alphabet.UCS2)),
        (0x0C, Coding(Alphabet.GSM7)),  # reserved alphabet
        (0x10, Coding(Alphabet.GSM7, 0)),  # flash
        (0x15, Coding(Alphabet.EIGHT_BIT, 1)),
        (0x1A, Coding(Alphabet.UCS2, 2)),
        (0x20, Coding(Alphabet.GSM7, is_compressed=True)),
        (0x3B, Coding(Alphabet.UCS2, 3, is_compressed=True)),
        (0x48, Coding(Alphabet.UCS2)),  # marked for automatic deletion
        (0x51, Coding(Alphabet.GSM7, 1)),
        (0x80, Coding(Alphabet.GSM7)),  # reserved groups
        (0xB8, Coding(Alphabet.GSM7)),
        (0xC8, Coding(Alphabet.GSM7)),  # message waiting: discard, store, store UCS-2
        (0xD0, Coding(Alphabet.GSM7)),
        (0xE0, Coding(Alphabet.UCS2)),
        (0xEB, Coding(Alphabet.UCS2)),
        (0xF0, Coding(Alphabet.GSM7, 0)),
        (0xF1, Coding(Alphabet.GSM7, 1)),
        (0xF6, Coding(Alphabet.EIGHT_BIT, 2)),
    ],
    ids=lambda value: f"{value:02X}" if isinstance(value, int) else "",
)
def test_a_coding_scheme_reads_as_section_4_says(dcs: int, coding: Coding) -> None:
    assert read_coding(dcs) == coding


@given(st.sampled_from(Alphabet), st.sampled_from([None, 0, 1, 2, 3]))
def test_a_written_coding_scheme_reads_back(alphabet: Alphabet, message_class: int | None) -> None:
    assert read_coding(write_coding(alphabet, message_class)) == Coding(alphabet, message_class)


@pytest.mark.parametrize(
    ("data", "alphabet", "count"),
    [
        (b"", Alphabet.GSM7, 0),
        (b"a\x1b", Alphabet.GSM7, 1),
        (b"a\x1b\x1b", Alphabet.GSM7, 0),  # a whole pair
        (b"\x1b\x1b\x1b", Alphabet.GSM7, 1),
        (b"\x00a", Alphabet.UCS2, 0),
        (b"\x00a\x00", Alphabet.UCS2, 1),
        (b"\xd8\x3d", Alphabet.UCS2, 2),
        (b"\xd8\x3d\xde", Alphabet.UCS2, 3),
        (b"\xd8", Alphabet.UCS2, 1),
        (b"\xd8\x3d\xde\x00", Alphabet.UCS2, 0),
        (b"\x1b", Alphabet.EIGHT_BIT, 0),
    ],
)
def test_what_the_next_part_must_end_stays_open(data: bytes, alphabet: Alphabet, count: int) -> None:
    assert count_open(data, alphabet) == count


def test_half_a_surrogate_pair_alone_is_a_replacement_character() -> None:
    assert decode(b"\x00a\xd8\x3d", Alphabet.UCS2) == "a\ufffd"
    assert decode(b"\xde\x00\x00a", Alphabet.UCS2) == "\ufffda"
