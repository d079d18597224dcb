"""The code reader on kinds of texts that mislead: each test is one kind, in several languages."""

import pytest

from smscatch.codes import best_code, find_codes
from smscatch.codes.words import kind_of


@pytest.mark.parametrize("word", ["won't", "won’t", "won´t", "wont", "výhradně", "thường", "gewinnen", "award-winning"])
def test_a_word_that_only_begins_like_a_prize_leaves_the_code(word: str) -> None:
    assert best_code(f"Your code is 482913. It {word} Acme") == "482913"


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("dell'ordine", "spoil"),
        ("l'offre", "deal"),
        ("offre", "deal"),
        ("ro'yxat", "proof"),
        ("PIN'iniz", "code"),
        ("working", None),
        ("működik", None),
        ("škoda", None),
        ("קודם", None),
        ("rekod", "common"),
        ("volgende", None),
        ("sekarang", None),
        ("часто", None),
        ("he", "common"),
        ("photoTAN", "code"),
        ("Pakistan", None),
        ("tan", "common"),
    ],
)
def test_a_word_is_not_cut_into_another(word: str, kind: str | None) -> None:
    assert kind_of(word) == kind


SEPARATORS = ("\u2010", "\u2011", "\u2012", "\u2212", "\u2009", "\u202f", "\u3000", "·", ".", "'", "/", "~", "\n")
SPACED = (" - ", " – ", " — ", " / ", "  ")


@pytest.mark.parametrize("separator", [*SEPARATORS, *SPACED])
def test_groups_parted_by_anything_are_one_code(separator: str) -> None:
    assert best_code(f"Your code: 482{separator}913") == "482913"


@pytest.mark.parametrize("text", ["Your code is 482{}913", "482{}913 is your code", "Hide the code. Rooms 482{}913"])
def test_a_group_is_never_the_code(text: str) -> None:
    texts = [text.format(separator) for separator in (*SEPARATORS, *SPACED, " + ", "\t", " . ", ", ", "+")]
    groups = {each: [one.value for one in find_codes(each).codes if len(one.value) <= 3] for each in texts}
    assert {each: found for each, found in groups.items() if found} == {}


@pytest.mark.parametrize(
    "text",
    [
        "Your Corner Shop code is 482913",
        "Your Parcel Pals PIN is 482913",
        "Jackpot Isle: use code 482913 to log in",
        "Your Prize Palace code is 482913",
        "[Lucky Award] 482913 is your code",
        "【大奖乐园】验证码482913",
        "Code for Jackpot Isle: 482913",
        "Log in at prize.example with code 482913",
        "Colis Malin : votre code est 482913",
    ],
)
def test_a_word_in_a_name_says_nothing_of_the_text(text: str) -> None:
    assert best_code(text) == "482913"


@pytest.mark.parametrize(
    "text",
    [
        "Your gift card code is 482913",
        "Your Gift Card Code is 482913",
        "Your Acme order code is 482913",
        "Use promo code 482913",
        "You won! Your PIN is 482913",
        "Your parcel code is 482913",
    ],
)
def test_a_word_outside_of_a_name_still_tells_that_there_is_no_code(text: str) -> None:
    assert best_code(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "482913 is the OTP of your login",
        "Your access code of 482913 ends soon",
        "Never tell this code. 482913. Call 888.555.0142",
        "Sign in with 482913. Not you? 06.12.34.56.78",
        "Login 482913 for app 2.1",
    ],
)
def test_of_spoils_no_code_and_a_dotted_phone_number_is_no_money(text: str) -> None:
    assert best_code(text) == "482913"


@pytest.mark.parametrize(
    "text",
    [
        "2FA: 482913",
        "482913 (2fa)",
        "482913\nType it in the app",
        "Hi,\n482913\nto verify your phone",
        "Enter 482913 in the Acme app",
        "Tippen Sie 482913 in die App",
        "Введите 482913 в приложении",
        "アプリに482913を入力してください",
    ],
)
def test_a_code_is_known_by_what_is_done_with_it(text: str) -> None:
    assert best_code(text) == "482913"


@pytest.mark.parametrize(
    "text",
    [
        "Use 5000 gems in the game",
        "Enter at door 4410",
        "Total\n4500\nThanks for your visit",
        "Score\n482913\nPlay again",
    ],
)
def test_a_number_that_is_used_otherwise_is_no_code(text: str) -> None:
    assert best_code(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Ihre Sicherheitsnummer lautet 482913",
        "Verifieringsnummer: 482913",
        "Uw verificatienummer is 482913",
        "Номер подтверждения: 482913",
        "Секретный шифр 482913",
        "確認用の番号は482913です",
        "인증숫자: 482913",
        "رقم التحقق 482913",
        "सत्यापन संख्या 482913",
        "Número de verificación: 482913",
        "Die chipTAN ist 482913",
        "Sua senha e 482913",
        "Koden ar 482913",
        "Kodi eshte 482913",
    ],
)
def test_a_number_that_verifies_is_a_code_also_without_accents(text: str) -> None:
    assert best_code(text) == "482913"


@pytest.mark.parametrize(
    "text",
    ["Ihre Kundennummer lautet 482913", "Registration number 482913", "予約番号は482913です", "Номер заказа: 482913"],
)
def test_a_number_that_verifies_nothing_is_no_code(text: str) -> None:
    assert best_code(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Your password was changed on tablet 482913.",
        "Hasło zmieniono na urządzeniu 482913.",
        "비밀번호가 기기 482913에서 변경되었습니다",
        "A code will follow. Enquiry 482913",
        "Le enviaremos un código. Solicitud 482913",
        "הקוד יישלח בנפרד. פנייה 482913",
        "Nennen Sie die TAN Nr. 112 Ihrer Liste",
        "RDV au 2210 rue de la Gare, code porte 22A",
        "Bezichtiging Kerkstraat 2210, code bij de buren",
        "Take 5 EUR off with code AUTUMN10",
        "Con il codice ESTATE5 risparmi 5 euro",
        "Your locker PIN is 482913",
        "Paczkomat KRA01M, kod 482913",
        "Conference PIN: 482913",
        "Dial 030 5550142, PIN 482913#",
    ],
)
def test_no_code_is_invented(text: str) -> None:
    assert best_code(text) is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("code 482 + 913", "part"),
        ("the TAN no. 112", "index"),
        ("Your locker PIN is 482913", "keyed"),
        ("Code AUTUMN10 takes 5 EUR off", "offer"),
    ],
)
def test_the_reason_is_told_why_a_number_with_a_code_word_is_none(text: str, rule: str) -> None:
    assert rule in [one.rule for one in find_codes(text).rejected]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your code: K-482913", "K-482913"),
        ("G-482913 is your code", "482913"),
        ("Yourlogincodeis482913", "482913"),
        ("Your code:\n4 8 2\n9 1 3", "482913"),
        ("Code: 4️⃣8️⃣2️⃣9️⃣", "4829"),
        ("Code: ④⑧②⑨", "4829"),
        ("Code: ❹❽❷❾", "4829"),
        ("Ko tō waehere manatoko: 4829", "4829"),
        ("O lau fa'ailoga o le 4829", "4829"),
        ("U vostru codice hè 4829", "4829"),
        ("Ҫирӗплетӳ кодӗ: 4829", "4829"),
        ("Раҫлау коды: 4829", "4829"),
        ("གསང་ཨང་ ༤༨༢༩", "4829"),
        ("Հաստատման ծածկագիրը՝ 4829", "4829"),
    ],
)
def test_a_code_is_read_however_it_is_printed(text: str, code: str) -> None:
    assert best_code(text) == code
