"""The environment of a caught program: everything is led to us, and nothing that it had is lost."""

from pathlib import Path

from smscatch.catching.environment import Surroundings, caught_environment, proxies_before

AROUND = Surroundings(Path("/run"), 4711, "http://127.0.0.1:7672", "our-key")
PROXY = "http://127.0.0.1:4711"


def caught(**before: str) -> dict[str, str]:
    return caught_environment(before, AROUND)


def test_a_program_with_a_bare_environment_is_led_to_the_proxy_and_trusts_us() -> None:
    assert caught(PATH="/bin") == {
        "PATH": "/bin",
        "HTTPS_PROXY": PROXY,
        "https_proxy": PROXY,
        "NO_PROXY": "localhost,127.0.0.1,::1",
        "no_proxy": "localhost,127.0.0.1,::1",
        "SSL_CERT_FILE": "/run/SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE": "/run/REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE": "/run/CURL_CA_BUNDLE",
        "AWS_CA_BUNDLE": "/run/AWS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS": "/run/NODE_EXTRA_CA_CERTS",
        "PYTHONPATH": "/run/preload/python",
        "NODE_OPTIONS": '--require="/run/preload/node.cjs"',
        "NODE_USE_ENV_PROXY": "1",
        "RUBYOPT": "-r/run/preload/ruby.rb",
        "PHP_INI_SCAN_DIR": ":/run/preload/php",
        "JAVA_TOOL_OPTIONS": "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=4711"
        " -Djavax.net.ssl.trustStore=/run/java.p12 -Djavax.net.ssl.trustStoreType=PKCS12"
        " -Djavax.net.ssl.trustStorePassword=",
        "TWILIO_AUTH_TOKEN": "our-key",
        "PLIVO_AUTH_TOKEN": "our-key",
        "TELNYX_API_KEY": "our-key",
        "AWS_ACCESS_KEY_ID": "our-key",
        "AWS_SECRET_ACCESS_KEY": "our-key",
        "TWILIO_ACCOUNT_SID": "AC" + 32 * "0",
        "PLIVO_AUTH_ID": "MA" + 18 * "0",
        "SMSCATCH_URL": "http://127.0.0.1:7672",
        "SMSCATCH_KEY": "our-key",
    }


def test_what_was_loaded_before_is_still_loaded() -> None:
    environ = caught(
        PYTHONPATH="/mine",
        NODE_OPTIONS="--no-warnings",
        RUBYOPT="-W0",
        PHP_INI_SCAN_DIR="/ini",
        JAVA_TOOL_OPTIONS="-Da",
    )
    assert environ["PYTHONPATH"] == "/run/preload/python:/mine"
    assert environ["NODE_OPTIONS"] == '--no-warnings --require="/run/preload/node.cjs"'
    assert environ["RUBYOPT"] == "-W0 -r/run/preload/ruby.rb"
    assert environ["PHP_INI_SCAN_DIR"] == "/ini:/run/preload/php"
    assert environ["JAVA_TOOL_OPTIONS"].startswith("-Da -Dhttps.proxyHost=")


def test_java_options_that_would_undo_ours_are_followed_by_ours() -> None:
    assert "JDK_JAVA_OPTIONS" not in caught()
    assert caught(JDK_JAVA_OPTIONS="-Dhttps.proxyHost=there")["JDK_JAVA_OPTIONS"].endswith("trustStorePassword=")


def test_each_proxy_that_was_set_becomes_ours_since_some_clients_use_those_for_http_for_https() -> None:
    environ = caught(HTTP_PROXY="http://corp:3128", all_proxy="http://corp:3128")
    assert (environ["HTTP_PROXY"], environ["all_proxy"]) == (PROXY, PROXY)
    assert "http_proxy" not in environ
    assert "HTTP_PROXY" not in caught(HTTP_PROXY="") or caught(HTTP_PROXY="")["HTTP_PROXY"] == ""


def test_the_proxies_that_were_set_are_remembered_and_who_went_around_them() -> None:
    assert proxies_before({}) == (None, None, "")
    assert proxies_before({"HTTPS_PROXY": "a", "http_proxy": "b", "NO_PROXY": "c"}) == ("a", "b", "c")
    assert proxies_before({"ALL_PROXY": "a", "no_proxy": "c"}) == ("a", "a", "c")


def test_hosts_that_go_around_a_proxy_still_do_but_for_those_near_a_provider() -> None:
    environ = caught(NO_PROXY="*, .amazonaws.com,10.0.0.0/8 intra.example,localhost,api.twilio.com")
    assert environ["NO_PROXY"] == environ["no_proxy"] == "localhost,127.0.0.1,::1,10.0.0.0/8,intra.example"


def test_a_programs_own_keys_become_the_catchers_and_it_gets_no_others() -> None:
    environ = caught(VONAGE_API_KEY="abc", VONAGE_API_SECRET="real", TWILIO_ACCOUNT_SID="ACmine")
    assert environ["VONAGE_API_SECRET"] == "our-key"
    assert (environ["VONAGE_API_KEY"], environ["TWILIO_ACCOUNT_SID"]) == ("abc", "ACmine")
    assert not {"TWILIO_AUTH_TOKEN", "TELNYX_API_KEY", "PLIVO_AUTH_ID", "AWS_ACCESS_KEY_ID"} & environ.keys()


def test_the_key_stands_in_the_place_of_a_name_where_a_request_is_signed_and_no_secret_travels() -> None:
    signed = caught(VONAGE_API_KEY="abc", VONAGE_SIGNATURE_SECRET="real", VONAGE_APPLICATION_ID="an-id")
    for name in ("VONAGE_API_KEY", "VONAGE_SIGNATURE_SECRET", "VONAGE_APPLICATION_ID"):
        assert signed[name] == "our-key"


AMAZONS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "real", "AWS_SESSION_TOKEN": "real too"}


def test_keys_of_amazon_become_the_catchers_so_that_a_missed_call_is_refused() -> None:
    environ = caught(**AMAZONS)
    assert {name: environ[name] for name in AMAZONS} == dict.fromkeys(AMAZONS, "our-key")


def test_a_program_that_needs_other_services_of_amazon_keeps_its_keys() -> None:
    environ = caught_environment(AMAZONS, AROUND._replace(keeps_aws=True))
    assert {name: environ[name] for name in AMAZONS} == AMAZONS
    assert environ["TWILIO_AUTH_TOKEN"] == "our-key"
