"""Twilio's own SDK and its Verify API, pointed at smscatch: a code is sent, read and checked, and errors raised."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import twilio.rest
from twilio.base.exceptions import TwilioRestException

from smscatch import Client
from smscatch.codes import best_code
from smscatch.errors import NotFound
from smscatch.inbox import Inbox
from smscatch.redirecting import redirect_lines
from smscatch.verifying import CodeRequest, Verifications, Which
from smscatch.web.compat.twilio_verify import TERMS
from smscatch.web.compat.wording import TEXTS, write_text
from tests.conftest import ADMIN_KEY, Clock, Server
from tests.surroundings import settings_in

VA = "VA" + "0" * 32
TO = "+12015550123"


@pytest.fixture
def client(catcher: Server) -> twilio.rest.Client:
    """The client that the printed line makes."""
    return pointed_at(catcher, ADMIN_KEY)


def pointed_at(catcher: Server, key: str) -> twilio.rest.Client:
    names: dict[str, Any] = {"Client": twilio.rest.Client}
    exec(redirect_lines(catcher.url, key, "twilio")[0].removeprefix("Python twilio: "), names)
    made: twilio.rest.Client = names["client"]
    return made


@pytest.fixture
def service(client: twilio.rest.Client) -> Any:
    return client.verify.v2.services(VA)


def test_a_code_is_sent_read_checked_and_spent(service: Any, sms: Client) -> None:
    with sms.lease(label="virtual") as phone:
        started = service.verifications.create(to=phone.number, channel="sms", custom_friendly_name="Acme")
        code = phone.wait_for_code()
        assert phone.messages()[0].text == f"Your Acme verification code is: {code}"
        assert sms.caught(phone.number).provider == "twilio"
        wrong = service.verification_checks.create(to=phone.number, code=str(int(code) ^ 1).zfill(6))
        assert (wrong.status, wrong.valid, wrong.sid) == ("pending", False, started.sid)
        right = service.verification_checks.create(to=phone.number, code=code)
        assert (right.status, right.valid, right.sid) == ("approved", True, started.sid)
        for spent in (
            lambda: service.verification_checks.create(to=phone.number, code=code),
            lambda: service.verifications(started.sid).fetch(),
        ):
            assert raised(spent) == (404, 20404)
    assert re.fullmatch("[0-9]{6}", code)
    assert re.fullmatch("VE[0-9a-f]{32}", started.sid)
    assert (started.status, started.valid, started.channel, started.to) == ("pending", False, "sms", phone.number)
    assert abs(datetime.now(UTC) - started.date_created).days == 0


def raised(call: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as caught:
        call()
    return caught.value.status, caught.value.code


def test_the_sixth_wrong_code_raises_and_so_does_the_right_one_then(service: Any, sms: Client) -> None:
    with sms.lease() as phone:
        started = service.verifications.create(to=phone.number, channel="sms")
        code = phone.wait_for_code()
        for _ in range(5):
            assert service.verification_checks.create(verification_sid=started.sid, code="nope").status == "pending"
        for given in ("nope", code):
            assert raised(lambda given=given: service.verification_checks.create(to=phone.number, code=given)) == (
                429,
                60202,
            )
        assert service.verifications(started.sid).fetch().status == "max_attempts_reached"
        again = service.verifications.create(to=phone.number, channel="sms")
        assert again.sid != started.sid


def test_the_same_code_is_sent_five_times_and_not_a_sixth(service: Any, sms: Client) -> None:
    with sms.lease() as phone:
        started = [service.verifications.create(to=phone.number, channel="sms") for _ in range(5)]
        assert raised(lambda: service.verifications.create(to=phone.number, channel="sms")) == (429, 60203)
        phone.wait_for_code()  # of a store that is busy a text comes a little later
        texts = {message.text for message in phone.messages()}
    assert ({each.sid for each in started}, len(texts)) == ({started[0].sid}, 1)
    assert [len(each.send_code_attempts) for each in started] == [1, 2, 3, 4, 5]


def test_a_verification_is_given_up_or_approved_by_the_application(service: Any, sms: Client) -> None:
    with sms.lease(count=2) as (one, two):
        for phone, status, after in ((one, "canceled", "canceled"), (two, "approved", None)):
            started = service.verifications.create(to=phone.number, channel="sms", custom_code="AB12cd")
            assert "AB12cd" in phone.wait_for_message().text
            changed = service.verifications(phone.number if after else started.sid).update(status=status)
            assert (changed.sid, changed.status) == (started.sid, status)
            assert raised(lambda: service.verification_checks.create(to=phone.number, code="AB12cd")) == (404, 20404)  # noqa: B023
            if after:
                assert service.verifications(started.sid).fetch().status == after


def test_a_service_says_what_its_texts_are_called_and_how_long_its_codes_are(
    catcher: Server, client: twilio.rest.Client, sms: Client
) -> None:
    client.verify.base_url = catcher.url  # Twilio's paths stand at the root too
    made = client.verify.v2.services.create(friendly_name="Corner Shop", code_length=8)
    assert client.verify.v2.services(made.sid).fetch().code_length == 8
    with sms.lease() as phone:
        client.verify.v2.services(made.sid).verifications.create(
            to=phone.number, channel="sms", locale="de", app_hash="He42w354ol9"
        )
        code = phone.wait_for_code()
        assert phone.messages()[0].text == f"<#> Ihr Bestätigungscode für Corner Shop lautet: {code}\nHe42w354ol9"
    assert len(code) == 8
    assert client.verify.v2.services(made.sid).update(code_length=4).friendly_name == "Corner Shop"
    for wrong in ({"friendly_name": ""}, {"friendly_name": "x", "code_length": 3}):
        assert raised(lambda wrong=wrong: client.verify.v2.services.create(**wrong)) == (400, 60200)


@pytest.mark.parametrize(
    "change",
    [{"to": ""}, {"to": "12"}, {"channel": "call"}, {"channel": ""}, {"locale": "tlh"}, {"custom_code": "123"}],
)
def test_what_twilio_refuses_raises_its_error(service: Any, change: dict[str, str]) -> None:
    assert raised(lambda: service.verifications.create(**({"to": TO, "channel": "sms"} | change))) == (400, 60200)


def test_a_check_without_a_code_or_a_verification_and_a_wrong_token_raise(
    catcher: Server, client: twilio.rest.Client, service: Any
) -> None:
    assert raised(lambda: service.verification_checks.create(to=TO, code="")) == (400, 60200)
    assert raised(lambda: service.verification_checks.create(code="123456")) == (400, 60200)
    assert raised(lambda: service.verification_checks.create(to="+12015550199", code="123456")) == (404, 20404)
    assert raised(lambda: service.verifications("VE" + "0" * 32).fetch()) == (404, 20404)
    made = client.verify.v2.services.create(friendly_name="Corner Shop")
    for strange in ("VA\0", "V A", "service"):
        elsewhere = client.verify.v2.services(strange).verifications(made.sid)
        assert raised(elsewhere.fetch) == (404, 20404)
    stranger = pointed_at(catcher, "a" * 32).verify.v2.services(VA)
    assert raised(lambda: stranger.verifications.create(to=TO, channel="sms")) == (401, 20003)


async def test_a_verification_is_over_after_ten_minutes(inbox: Inbox, clock: Clock, tmp_path: Path) -> None:
    own = Verifications(inbox, settings_in(tmp_path, ""), "k1", "twilio")
    started = await own.start(CodeRequest(VA, TO), TERMS)
    clock.advance(599)
    assert (await own.find(Which(VA, started.id))).status == "pending"
    clock.advance(1)
    for which in (Which(VA, started.id), Which(VA, to=TO)):
        with pytest.raises(NotFound):
            await own.check(which, started.code, TERMS.most_checks)
    assert (await own.start(CodeRequest(VA, TO), TERMS)).id != started.id


async def test_codes_are_fixed_for_numbers_that_are_set_and_random_for_all_others(inbox: Inbox, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, '[virtual]\ncodes = ["+447700900xxx=000000", "*0177=111111"]\n')
    own = Verifications(inbox, settings, "k1", "twilio")
    codes = [(await own.start(CodeRequest(VA, to), TERMS)).code for to in ("+447700900177", "+12015550177", TO)]
    assert codes[:2] == ["000000", "111111"]
    assert codes[2] not in codes[:2]
    assert TERMS.lasts == timedelta(minutes=10)


def test_the_code_is_found_in_the_text_of_each_language() -> None:
    for language in TEXTS:
        text = write_text(TO, "Acme", "048213", f"{language}-XX")
        assert (best_code(text) or text) == "048213", text
    assert write_text("+4915550123456", "Acme", "048213").startswith("Ihr ")
    assert write_text(TO, "Acme", "048213", "xx").startswith("Your ")
