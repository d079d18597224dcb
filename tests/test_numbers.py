"""How people type numbers, and how we keep them."""

import pytest

from smscatch.numbers import canonical_number, fold_sender


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


def test_senders_compare_without_regard_to_case_and_spelling() -> None:
    assert fold_sender("AUTHY") == fold_sender("authy")
    assert fold_sender("0049 1701234567") == fold_sender("+49 170 1234567")
    assert fold_sender("Authy") != fold_sender("Google")
