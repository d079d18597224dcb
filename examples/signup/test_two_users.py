"""Two users in one test, each with a phone of their own."""

from app import create_app

from smscatch import LeasedLines


def test_of_two_users_each_is_let_in_by_their_own_code_alone(sms_lines: LeasedLines) -> None:
    """Both numbers are leased at once: no other test that wants two keeps one of them and waits for the other."""
    alice, bob = sms_lines
    app = create_app().test_client()

    for phone in (alice, bob):
        app.post("/sign-up", data={"phone": phone.number})
    code_of_alice = alice.wait_for_code(sender="Example")
    code_of_bob = bob.wait_for_code(sender="Example")

    assert "Welcome" in app.post("/verify", data={"phone": alice.number, "code": code_of_alice}).text
    assert "not the code" in app.post("/verify", data={"phone": bob.number, "code": code_of_bob[::-1] + "0"}).text
