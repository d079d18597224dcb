"""The code reader: its own corpus, every rule's examples, machine-readable formats. Its work is in test_codes_work."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smscatch.codes import best_code, describe, find_codes, find_links
from smscatch.codes.folding import fold_digits, fold_signs, strip_invisible
from smscatch.codes.rules import RULES, Rule
from smscatch.codes.words import Kind, kind_of

CORPUS = Path(__file__).parent / "data" / "codes.jsonl"
WORDS = Path(__file__).parents[1] / "src" / "smscatch" / "codes" / "words.txt"


def corpus() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]


def rules_that_decided(text: str) -> set[str]:
    reading = find_codes(text)
    return {one.rule for one in (*reading.codes, *reading.rejected)}


def test_the_corpus_is_read_without_a_mistake() -> None:
    read = [(row["lang"], row["text"], row["code"], best_code(row["text"])) for row in corpus()]
    assert [row for row in read if row[2] != row[3]] == []


def test_the_corpus_is_large_many_voiced_and_two_in_five_are_without_a_code() -> None:
    rows = corpus()
    assert len(rows) >= 250
    assert len({row["lang"] for row in rows}) >= 40
    assert 0.35 < sum(row["code"] is None for row in rows) / len(rows) < 0.6
    assert len({row["text"] for row in rows}) == len(rows)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_decides_in_its_example_and_not_in_its_counterexample(rule: Rule) -> None:
    assert rule.name in rules_that_decided(rule.example)
    assert rule.name not in rules_that_decided(rule.counterexample)


def test_rule_names_are_unique_and_reasons_are_sentences() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.reason[0].isupper() and rule.reason.endswith(".") for rule in RULES)


def test_the_word_table_has_sixty_languages_and_only_kinds_that_are_known() -> None:
    lines = WORDS.read_text("utf-8").splitlines()
    names = [line for line in lines if line and line[0] not in " #"]
    kinds = {line.split()[0] for line in lines if line.startswith("  ")}
    assert len({name for line in names for name in line.split()}) >= 60
    assert kinds == set(get_args(Kind))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Code", "code"),
        ("Bestätigungscode", "code"),
        ("kodunuz", "code"),
        ("Vahvistuskoodia", "code"),
        ("कोड", "code"),
        ("Gutscheincode", "deal"),
        ("промокод", "deal"),
        ("unicode", "spoil"),
        ("vscode", None),
        ("codify", None),
        ("İndirim", "deal"),
        ("mã", "code"),
        ("ma", None),
        ("TRY", "money"),
        ("try", None),
    ],
)
def test_a_word_is_known_by_its_stem(word: str, kind: str | None) -> None:
    assert kind_of(word) == kind


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your code is G-482913", "482913"),
        ("FB-48291 is your code", "48291"),
        ("Code 482-913", "482913"),
        ("Code 482–913", "482913"),
        ("Code 482 913", "482913"),
        ("Code 482\u00a0913", "482913"),
        ("Code 4829 1355", "48291355"),
        ("Code 4829-1355", "48291355"),
        ("Code 482 9135", "4829135"),
        ("Your code: 4 8 2 9 1 3", "482913"),
        ("Your code is K7P-2XM", "K7P-2XM"),
        ("[482913] is your code", "482913"),
        ("【Acme】482913", "482913"),
        ("コード「482913」", "482913"),
        ("コード『482913』", "482913"),
        ("*482913* is your code", "482913"),
        ('Your code is "482913"', "482913"),
        ("код:482913", "482913"),
        ("code is:482913.", "482913"),
        ("482913是您的验证码", "482913"),
        ("רמז 482913 קוד", "482913"),
        ("Code \u202a482913\u202c", "482913"),
        ("Code 48\u200b29\u200f13", "482913"),
    ],
)
def test_a_code_is_given_as_a_person_types_it(text: str, code: str) -> None:
    assert best_code(text) == code


@pytest.mark.parametrize(
    ("text", "rejected"),
    [
        ("2.15分", [("2", "length")]),
        ("card xx \n4829", [("4829", "tail")]),
        ("intent://482913 a.com 4829", [("482913", "link"), ("4829", "unlabelled")]),
    ],
)
def test_a_rejected_number_has_the_rule_that_refused_it(text: str, rejected: list[tuple[str, str]]) -> None:
    assert [(one.printed, one.rule) for one in find_codes(text).rejected] == rejected


@pytest.mark.parametrize("zero", "٠۰०০੦૦୦௦౦೦൦๐໐༠၀០᠐０𝟎")
def test_digits_of_every_script_are_read_and_printed_as_they_stand(zero: str) -> None:
    printed = "".join(chr(ord(zero) + int(digit)) for digit in "482913")
    reading = find_codes(f"Code: {printed}")
    assert (reading.code, reading.codes[0].printed) == ("482913", printed)


@pytest.mark.parametrize(
    ("text", "code", "hosts"),
    [
        ("482913 it is\n@acme.example #482913", "482913", ("acme.example",)),
        ("@acme.example #482913 @pay.example", "482913", ("acme.example", "pay.example")),
        ("Your OTP is 1234ABC.\n@acme.example #12345", "12345", ("acme.example",)),
        ("@acme.example #123@pay.example", "123@pay.example", ("acme.example",)),
        ("@acme.example #12345 and more", "12345", ("acme.example",)),
        ("@acme.example #12345 @pay.example @third.example", "12345", ("acme.example", "pay.example")),
        ("@localhost #12345 \n", "12345", ("localhost",)),
        ("@Acme.Example #сложно", "сложно", ("Acme.Example",)),
        ("@one.example #11111\n@two.example #22222", "22222", ("two.example",)),
        ("Do not share. @acme.example #482913", "482913", ("acme.example",)),
        ("@acme.example#12345", None, ()),
        ("@acme.example  #sale", None, ()),
        ("@acme.example\t#sale", None, ()),
        ("@acme.example:80 #sale", None, ()),
        ("@acme #sale", None, ()),
        ("look @acme.example #sale", None, ()),
    ],
)
def test_an_origin_bound_line_counts_more_than_the_text(text: str, code: str | None, hosts: tuple[str, ...]) -> None:
    reading = find_codes(text)
    assert (reading.code, reading.bound_hosts) == (code, hosts)


@pytest.mark.parametrize(
    ("text", "app_hash"),
    [
        ("<#> Code 482913\nFA+9qCX9VSu", "FA+9qCX9VSu"),
        ("Code 482913 /tPjtJT5f8o", "/tPjtJT5f8o"),
        ("Code 482913\nabAbCDEFO1g", "abAbCDEFO1g"),
        ("Code 482913 k3Xp0aLq9Tz -Acme", "k3Xp0aLq9Tz"),
        ("Code 482913+QyYAqib1Uz", "+QyYAqib1Uz"),
        ("Code 482913 information", None),
        ("Code 482913 MasterPlans", None),
        ("Code 482913 08005550142", None),
    ],
)
def test_the_app_hash_is_told_and_never_the_code(text: str, app_hash: str | None) -> None:
    reading = find_codes(text)
    assert (reading.code, reading.retriever_hash) == ("482913", app_hash)


@pytest.mark.parametrize(
    "text",
    [
        "Didn't ask? Call 1-800-555-0142",
        "SMS STOP to 32665",
        "Never share your OTP with anyone. Your balance is Rs. 4500",
        "Paid 1 234,56 with the card ending 2483",
        "Paid 4500 INR with *4417 on 20261122 at 15:30",
        "Account XX1234, order 482913, ref 20260301",
        "Покупка 3000 RUR, карта *0125, код авторизации: 960746",
        "Use promo code 482913",
        "See https://acme.example/482913 and acme.example/v/482913",
        "",
        " \n",
    ],
)
def test_a_trap_is_no_code(text: str) -> None:
    assert find_codes(text).codes == ()


def test_all_codes_are_ranked_and_all_others_told_with_a_reason() -> None:
    reading = find_codes("Your code is 482913, order 99120 costs EUR 4500. The backup code: 551209")
    assert [one.value for one in reading.codes] == ["482913", "551209"]
    assert [(one.value, one.rule) for one in reading.rejected] == [("99120", "other"), ("4500", "money")]
    assert all(0 < one.score <= 1 for one in reading.codes)
    assert all(one.score == 0 and one.reason for one in reading.rejected)


def test_a_description_names_code_reasons_hosts_and_hash() -> None:
    text = describe(find_codes("Order 99120. Code: 482913\n@acme.example #482913\nFA+9qCX9VSu"))
    assert text.splitlines() == [
        "code: 482913",
        "  + 482913  1.00  bound: It stands on the line that binds it to acme.example.",
        "  - 99120  0.00  other: The word before it names another number.",
        "bound to: acme.example",
        "SMS Retriever hash: FA+9qCX9VSu",
    ]
    assert describe(find_codes("hello")) == "no code"


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://acme.example/a?b=1#c.", ["https://acme.example/a?b=1#c"]),
        ("tap v.whatsapp.com/569485, or www.acme.example!", ["v.whatsapp.com/569485", "www.acme.example"]),
        ("(https://acme.example/wiki/A_(b))", ["https://acme.example/wiki/A_(b)"]),
        ("HTTP://ACME.EXAMPLE/A http://localhost:8000/x", ["HTTP://ACME.EXAMPLE/A", "http://localhost:8000/x"]),
        ("https://例え.jp/x。пример.рф/1", ["https://例え.jp/x", "пример.рф/1"]),
        ("打开http://t.cn/Rx退订回T 或example.com查看", ["http://t.cn/Rx", "example.com"]),
        ("mail ana@acme.com, at 10.30, e.g. 1.5", []),
        ("Hide the code.Do not share.in case", []),
        ("javascript:alert(1) tel:123 ftp://acme.com/x data:text/html,x", []),
        ("http:// https://", []),
        ("1 of a.com/1\nb.com/2 c.com/3 (d.com/4", ["a.com/1", "b.com/2", "c.com/3", "d.com/4"]),
    ],
)
def test_links_are_found_as_printed(text: str, links: list[str]) -> None:
    assert find_links(text) == links


PIECES = st.sampled_from(
    [
        "code",
        "OTP",
        "is",
        "your",
        "验证码",
        "कोड",
        "رمز",
        "482913",
        "٤٨٢",
        "G-",
        "-",
        " ",
        "\n",
        ".",
        ":",
        "+",
        "*",
        "#",
        "@",
        "a.b",
        "://",
        "http",
        "EUR",
        "$",
        "min",
        "K7P",
        "FA+9qCX9VSu",
        "(",
        "\u200f",
        "\0",
        "İ",
        "ß",
        "²",
        "𝟘",
    ]
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join)))
def test_any_text_is_read_and_each_value_stands_in_it(text: str) -> None:
    reading = find_codes(text)
    plain = strip_invisible(text)
    folded = fold_signs(fold_digits(plain))
    for one in (*reading.codes, *reading.rejected):
        assert one.printed in plain
        assert one.value in folded or one.value in "".join(filter(str.isdigit, folded))
    assert reading.code == (reading.codes[0].value if reading.codes else None)
    assert all(link in text for link in find_links(text))
    assert describe(reading)
