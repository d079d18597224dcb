"""Verifications outlive a server that is killed, with each check counted once."""

from collections.abc import Callable
from typing import Any

from tests import plain
from tests.conftest import ADMIN_KEY, Server

AUTH = ("any", ADMIN_KEY)
NUMBERS = ("+12015550123", "+12015550124", "+12015550125", "+12015550126")
MOST_BY_TWILIO, MOST_BY_VONAGE = 5, 3  # checks


def code_for(server: Server, number: str) -> str:
    url = f"{server.url}/api/v1/code"
    return plain.get(url, params={"line": number, "after": "0", "timeout": "300"}, auth=(ADMIN_KEY, "")).text


def at_twilio(server: Server) -> tuple[Callable[[str], Any], Callable[[str, str], tuple[int, Any]]]:
    base = f"{server.url}/twilio/v2/Services/VA{'0' * 32}"

    def start(to: str) -> Any:
        return plain.post(f"{base}/Verifications", data={"To": to, "Channel": "sms"}, auth=AUTH).json()["sid"]

    def check(to: str, code: str) -> tuple[int, Any]:
        answer = plain.post(f"{base}/VerificationCheck", data={"To": to, "Code": code}, auth=AUTH)
        return answer.status_code, answer.json().get("status") if answer.is_success else answer.json()["code"]

    return start, check


def at_vonage(server: Server) -> tuple[Callable[[str], Any], Callable[[str, str], int]]:
    base = f"{server.url}/vonage/v2/verify"

    def start(to: str) -> Any:
        asked = {"brand": "Acme", "workflow": [{"channel": "sms", "to": to[1:]}]}
        return plain.post(base, json=asked, auth=AUTH).json()["request_id"]

    def check(request_id: str, code: str) -> int:
        return plain.post(f"{base}/{request_id}", json={"code": code}, auth=AUTH).status_code

    return start, check


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


def test_a_verification_outlives_a_killed_server_and_its_checks_are_counted_once(
    make_server: Callable[[], Server],
) -> None:
    server = make_server().start()
    (start_twilio, check_twilio), (start_vonage, check_vonage) = at_twilio(server), at_vonage(server)
    for number in NUMBERS[:2]:
        start_twilio(number)
    ids = [start_vonage(number) for number in NUMBERS[2:]]
    codes = [code_for(server, number) for number in NUMBERS]
    assert check_twilio(NUMBERS[0], wrong(codes[0])) == (201, "pending")
    assert check_twilio(NUMBERS[1], codes[1]) == (201, "approved")
    assert check_vonage(ids[0], wrong(codes[2])) == check_vonage(ids[1], wrong(codes[3])) == 400
    server.kill()
    server.start()
    for _ in range(MOST_BY_TWILIO - 1):
        assert check_twilio(NUMBERS[0], wrong(codes[0])) == (201, "pending")
    assert check_twilio(NUMBERS[0], codes[0]) == (429, 60202)
    assert check_twilio(NUMBERS[1], codes[1]) == (404, 20404)  # it is spent still
    assert [check_vonage(ids[0], wrong(codes[2])) for _ in range(MOST_BY_VONAGE - 1)] == [400, 410]
    assert check_vonage(ids[1], codes[3]) == 200
