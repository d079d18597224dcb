"""What was caught, refused and let through, in words."""

from smscatch.catching.tally import NO_API, Tally
from smscatch.cli.catch import AMAZONS_KEYS, NOTHING_CAME, describe


def test_each_host_has_a_line_with_how_often_what_happened_and_what_that_means() -> None:
    tally = Tally()
    for status in (201, 201, 401, 404):
        tally.caught("api.twilio.com", status)
    tally.refused("video.twilio.com", NO_API)
    tally.passed("example.com")
    tally.passed("example.com")
    assert tally.caught_requests == 4
    assert tally.report() == [
        "caught api.twilio.com, answered 201 2 times, 401 once, 404 once; 401 is for a key that is not the catcher's;"
        " 404 is for what the server does not know, or cannot do in the provider's place",
        "refused video.twilio.com, once: an SMS provider for which smscatch has no send API",
        "passed through example.com, 2 times",
    ]


def test_who_calls_other_services_of_amazon_is_told_which_keys_it_had() -> None:
    tally = Tally()
    tally.passed("s3.eu-west-1.amazonaws.com")
    passed = "passed through s3.eu-west-1.amazonaws.com, once"
    assert describe(tally, keeps_aws=False) == [NOTHING_CAME, passed, AMAZONS_KEYS]
    assert describe(tally, keeps_aws=True) == [NOTHING_CAME, passed]
    tally.caught("sns.eu-west-1.amazonaws.com", 200)
    assert describe(Tally(), keeps_aws=False) == [NOTHING_CAME]
    assert NOTHING_CAME not in describe(tally, keeps_aws=False)
