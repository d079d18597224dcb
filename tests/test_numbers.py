"""How people type numbers, and how we keep them."""

import pytest

from smscatch.numbers import canonical_number, fold_sender, sender_forms


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+49 170 123-45 67", "+491701234567"),
        ("0049 (170) 1234567", "+491701234567"),
        ("491701234567", "+491701234567"),
        (" 491701234567", "+491701234567"),
        ("+491701234567", "+491701234567"),
        ("32665", "32665"),
        ("0170 1234567", "0170 1234567"),
        ("Authy", "Authy"),
        ("", ""),
        ("+", "+"),
        ("+1234567890123456", "+1234567890123456"),
        ("4 you 2", "4 you 2"),
    ],
)
def test_international_numbers_are_kept_as_e164_and_all_else_as_it_is(typed: str, kept: str) -> None:
    assert canonical_number(typed) == kept


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("AUTHY", ["authy"]),
        ("+49 170 123-45 67", ["+491701234567"]),
        ("tel:+49-170-1234567", ["+491701234567"]),
        ("+４９ １７０ １２３４５６７", ["+491701234567"]),
        (" 491701234567", ["+491701234567"]),
        ("491701234567", ["491701234567", "+491701234567"]),
        ("00491701234567", ["00491701234567", "+491701234567"]),
        ("0049 170 1234567", ["0049 170 1234567", "00491701234567", "+491701234567"]),
        ("0170 1234567", ["0170 1234567", "01701234567"]),
        ("32665", ["32665"]),
        ("+32665", ["+32665"]),
        (" 32665", ["32665"]),
        ("*100#", ["*100#"]),
        ("4 you 2", ["4 you 2"]),
    ],
)
def test_what_a_person_types_may_mean_one_sender_or_several(typed: str, meant: list[str]) -> None:
    assert list(sender_forms(typed)) == meant


def test_two_senders_are_never_indexed_as_one() -> None:
    senders = [
        "+491701234567",
        "491701234567",
        "00491701234567",
        "01701234567",
        "1701234567",
        "32665",
        "+32665",
        "Authy",
    ]
    assert len({fold_sender(sender) for sender in senders}) == len(senders)


@pytest.mark.parametrize(
    "sender", ["+491701234567", "491701234567", "01701234567", "32665", "+32665", "*100#", "Authy"]
)
def test_a_sender_is_found_by_what_is_shown_of_it(sender: str) -> None:
    assert fold_sender(sender) in sender_forms(sender)
