"""The pytest plugin in projects of its own, against a real server."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from smscatch.pytest_own import OwnServer
from tests.conftest import ADMIN_KEY, Server
from tests.samples import LINE, OTHER_LINE
from tests.side_by_side import SideBySide
from tests.surroundings import LEAN_PYTEST

pytest_plugins = ["pytester"]

CONFIG = f"""
[lines."{LINE}"]
label = "pool"
phone_id = "a"
[lines."{OTHER_LINE}"]
label = "login"
phone_id = "b"
"""
CONFTEST = f"""
import httpx2
import pytest

@pytest.fixture
def text(sms, sms_line):
    def send(text, sender="Authy", **facts):
        delivery = {{"line": sms_line.number, "sender": sender, "text": text, **facts}}
        url = f"{{sms.url}}/api/v1/inbound/generic"
        key = {{"authorization": "Bearer {ADMIN_KEY}"}}
        httpx2.post(url, json=delivery, headers=key, timeout=300, verify=False).raise_for_status()
    return send
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    config = folder / "smscatch.toml"
    config.write_text(CONFIG)
    server = Server(folder).start(SMSCATCH_CONFIG=str(config), SMSCATCH_LEASE_REST="0s")
    try:
        # So that all is imported that the client needs: pytester forgets after each run what that one imported.
        assert no_line_is_taken(server)
        yield server
    finally:
        server.kill()


@pytest.fixture
def project(pytester: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose tests find the server, and have `text(...)` to send themselves one."""
    monkeypatch.setenv("SMSCATCH_URL", server.url)
    monkeypatch.setenv("SMSCATCH_KEY", ADMIN_KEY)
    for name in ("CI", "BUILD_NUMBER"):  # with them pytest repeats whole messages in its summary
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_ADDOPTS", LEAN_PYTEST)
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nsms_label = pool\n")
    return pytester


def no_line_is_taken(server: Server) -> bool:
    with server.client() as client:
        return client.leases() == []


def test_each_test_has_a_line_and_reads_its_own_code(project: pytest.Pytester, server: Server) -> None:
    project.makepyfile("""
        import pytest

        @pytest.mark.parametrize("code", ["482913", "738291"])
        def test_sign_up(sms_line, text, code):
            text(f"Your code is {code}")
            assert sms_line.wait_for_code() == code
    """)
    project.runpytest().assert_outcomes(passed=2)
    assert no_line_is_taken(server)


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_the_report_of_a_failure_has_the_texts_and_why_none_matched(
    project: pytest.Pytester, options: tuple[str, ...]
) -> None:
    project.makepyfile(r"""
        def test_sign_up(sms_line, text):
            text("G-123456 is your code\n\x1b[31mred", sender="Google")
            text("Old news", sent_at="2020-01-01T00:00:00Z")
            sms_line.wait_for_code(sender="Authy", timeout=0.5)
    """)
    result = project.runpytest(*options)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"*smscatch: {LINE} received 2 texts during this test*",
            "No message matched in 0.5 s: *sender 'Google' is not 'Authy'*the text from 'Authy' is late*",
            "20*Z  Google  code 123456",
            "    G-123456 is your code",
            "     *31mred",
            "20*Z  Authy  no code  late  sent 2020-01-01T00:00:00.000Z",
            "    Old news",
        ]
    )
    assert "\x1b" not in result.stdout.str()
    assert "smscatch/client" not in result.stdout.str()  # the traceback ends at the line of the test


def test_the_explanation_is_told_when_the_test_made_another_error_of_it(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import smscatch

        def test_sign_up(sms_line):
            try:
                sms_line.wait_for_code(timeout=0)
            except smscatch.NoMessage as error:
                raise AssertionError("no sign-up") from error
    """)
    result = project.runpytest("--tb=short")
    result.stdout.fnmatch_lines(
        [f"*{LINE} received no texts during*", f"No message matched in 0 s: nothing came to {LINE}*"]
    )


def test_an_error_that_is_its_own_cause_is_reported(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_sign_up(sms_line):
            error = ValueError("round and round")
            raise error from error
    """)
    result = project.runpytest_subprocess("--tb=native", timeout=60)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*{LINE} received no texts during*"])


@pytest.mark.parametrize("options", [(), ("-W", "error")], ids=["warn", "error"])
def test_a_test_that_passed_stays_so_when_the_server_is_away_at_its_end(
    project: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr("smscatch.client.leasing.FAREWELL_SECONDS", 0)
    project.makepyfile("""
        def test_sign_up(sms, sms_line):
            sms._http.base_url = "http://127.0.0.1:9"
    """)
    result = project.runpytest(*options)
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines([f"*PytestWarning: smscatch: {LINE} is not released, and blocked until *"])
    with server.client() as client:
        for lease in client.leases():
            client.leased(lease.id).release()
    assert no_line_is_taken(server)


def test_a_test_that_passes_reports_nothing(project: pytest.Pytester) -> None:
    project.makepyfile("def test_sign_up(text): text('Your code is 482913')")
    assert "received" not in project.runpytest("-rA").stdout.str()


def test_the_nearest_marker_says_which_line(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nsms_label = pool\nsms_ttl = 30\n")
    project.makepyfile(f"""
        from datetime import UTC, datetime, timedelta
        import pytest

        def minutes(line):
            return round((line.expires_at - datetime.now(UTC)) / timedelta(minutes=1), 1)

        def test_of_the_project(sms_line):
            assert (sms_line.label, minutes(sms_line)) == ("pool", 0.5)

        @pytest.mark.sms(label="login", ttl=60)
        class TestLogin:
            def test_of_the_class(self, sms_line):
                assert (sms_line.label, minutes(sms_line)) == ("login", 1)

            @pytest.mark.sms(line="{LINE}")
            def test_of_its_own(self, sms_line):
                assert (sms_line.number, minutes(sms_line)) == ("{LINE}", 1)
    """)
    project.runpytest("--strict-markers").assert_outcomes(passed=3)


def test_a_test_of_two_users_has_two_lines_and_each_is_told_when_it_fails(
    project: pytest.Pytester, server: Server
) -> None:
    project.makepyfile("""
        import pytest

        @pytest.mark.sms(label=None)
        def test_invite(sms_lines):
            alice, bob = sms_lines
            assert alice.number != bob.number
            bob.wait_for_code(timeout=0)
    """)
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    for number in (LINE, OTHER_LINE):
        result.stdout.fnmatch_lines([f"*smscatch: {number} received no texts*"])
    assert result.stdout.str().count("No message matched in 0 s") == 2  # the error's own line, and one section's
    assert no_line_is_taken(server)


@pytest.mark.parametrize(
    ("arguments", "marker", "sentence"),
    [
        ("sms_line", "count=2", "sms_line is one line. A test that wants several takes the fixture sms_lines."),
        ("sms_line, sms_lines", "", "A test takes sms_line or sms_lines, not both"),
        ("sms_lines", "label='pool'", "There will never be 2 free lines"),
        ("sms_lines", "label=None, count=3", "There will never be 3 free lines"),
    ],
)
def test_lines_that_cannot_be_had_are_an_error_of_one_sentence(
    project: pytest.Pytester, arguments: str, marker: str, sentence: str
) -> None:
    project.makepyfile(f"import pytest\n@pytest.mark.sms({marker})\ndef test_invite({arguments}): pass")
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{sentence}*"])


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ("lable='pool'", "*@pytest.mark.sms takes line, label, ttl, wait, count, all by name; not lable.*"),
        ("'pool'", "*@pytest.mark.sms takes line, label, ttl, wait, count, all by name; not 'pool'.*"),
        ("ttl=float('nan')", "*ttl = nan is not accepted: give seconds*"),
        ("label='none'", "*There is no line with the label 'none' that this key may lease.*"),
    ],
)
def test_what_cannot_be_had_is_an_error_of_one_sentence(project: pytest.Pytester, marker: str, sentence: str) -> None:
    project.makepyfile(f"import pytest\n@pytest.mark.sms({marker})\ndef test_sign_up(sms_line): pass")
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([sentence])
    assert "pytest_plugin.py" not in result.stdout.str()


@pytest.mark.parametrize("seconds", ["5min", "nan", "inf"])
def test_a_wrong_number_of_seconds_is_named(project: pytest.Pytester, seconds: str) -> None:
    project.makeini(f"[pytest]\nsms_wait = {seconds}\n")
    project.makepyfile("def test_sign_up(sms_line): pass")
    result = project.runpytest()
    result.stdout.fnmatch_lines([f"sms_wait is not accepted (*{seconds}*). Accepted: a number of seconds*"])


def test_seconds_may_be_numbers_of_toml(project: pytest.Pytester) -> None:
    (project.path / "tox.ini").unlink()
    project.makepyprojecttoml("[tool.pytest]\nsms_label = 'pool'\nsms_ttl = 300\nsms_wait = 1.5\n")
    project.makepyfile("""
        def test_sign_up(sms, sms_line):
            (lease,) = sms.leases()
            assert (lease.expires_at - lease.started_at).total_seconds() == 300
    """)
    project.runpytest().assert_outcomes(passed=1)


def test_each_subtest_that_fails_reports_the_texts(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_sign_up(sms_line, text, subtests):
            for number in range(2):
                with subtests.test():
                    text(f"text {number}")
                    assert 0
            assert 0
    """)
    said = project.runpytest().stdout.str()
    for count in ("1 text", "2 texts"):
        assert f"received {count} during" in said
    assert said.count("during this test") == 3


def test_a_missing_key_is_an_error_that_says_what_to_set(
    project: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMSCATCH_KEY")
    project.makepyfile("def test_sign_up(sms_line): pass")
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    told = f"*no key is set for the server at {server.url}. Set SMSCATCH_KEY or SMSCATCH_KEY_FILE*"
    result.stdout.fnmatch_lines([told])


def test_a_key_may_come_from_a_file_but_not_from_the_command_line(
    project: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makepyfile("def test_sign_up(sms_line): pass")
    refused = project.runpytest("--sms-key", ADMIN_KEY)
    refused.stderr.fnmatch_lines(["*--sms-key would show the key to everybody who lists the processes*"])
    monkeypatch.delenv("SMSCATCH_KEY")
    monkeypatch.setenv("SMSCATCH_KEY_FILE", str(project.makefile(".key", ADMIN_KEY)))
    project.runpytest().assert_outcomes(passed=1)


def test_a_key_that_is_none_is_not_shown(
    project: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMSCATCH_KEY", "a key that is none")
    project.makepyfile("def test_sign_up(sms_line): pass")
    refused = project.runpytest()
    refused.stdout.fnmatch_lines(["*key = the value given (SMSCATCH_KEY) is not accepted*"])


def test_an_address_as_option_comes_before_the_environment(project: pytest.Pytester) -> None:
    project.makepyfile("def test_sign_up(sms_line): pass")
    unreached = project.runpytest("--sms-url", "http://127.0.0.1:9")
    unreached.assert_outcomes(errors=1)
    unreached.stdout.fnmatch_lines(["smscatch: The server at http://127.0.0.1:9 does not answer*"])


def test_the_failure_is_reported_with_the_server_gone(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smscatch.client.leasing.FAREWELL_SECONDS", 0)
    project.makepyfile("""
        def test_sign_up(sms, sms_line, monkeypatch):
            monkeypatch.setattr(sms, "_http", type(sms._http)(base_url="http://127.0.0.1:9"))
            assert not "ours"
    """)
    result = project.runpytest("-W", "ignore")
    result.stdout.fnmatch_lines(["*assert not 'ours'*", f"*what {LINE} received is not known*", "*does not answer*"])


@pytest.mark.parametrize(
    ("fixture", "test", "outcome"),
    [
        ("yield", "assert False", {"failed": 1}),
        ("raise ValueError; yield", "pass", {"errors": 1}),
        ("yield; raise ValueError", "pass", {"passed": 1, "errors": 1}),
    ],
    ids=["test", "setup", "teardown"],
)
def test_the_line_is_released_where_something_fails(
    project: pytest.Pytester, server: Server, *, fixture: str, test: str, outcome: dict[str, int]
) -> None:
    project.makepyfile(f"""
        import pytest

        @pytest.fixture
        def account(sms_line):
            {fixture}

        def test_sign_up(account):
            {test}
    """)
    result = project.runpytest()
    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines([f"*{LINE} received no texts*"])
    assert no_line_is_taken(server)


def test_the_line_is_released_when_the_run_is_interrupted(project: pytest.Pytester, server: Server) -> None:
    project.makepyfile("def test_sign_up(sms_line): raise KeyboardInterrupt")
    assert project.runpytest_subprocess().ret == pytest.ExitCode.INTERRUPTED
    assert no_line_is_taken(server)


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_the_line_is_released_when_the_job_is_cancelled(
    project: pytest.Pytester, server: Server, options: tuple[str, ...]
) -> None:
    project.makepyfile("""
        import os
        import signal

        def test_sign_up(sms_line):
            os.kill(os.getpid(), signal.SIGTERM)
            sms_line.wait_for_message(timeout=60)
    """)
    result = project.runpytest_subprocess(*options)
    assert result.ret != 0
    assert no_line_is_taken(server)


def test_a_killed_worker_keeps_its_line_no_longer_than_its_time(project: pytest.Pytester, server: Server) -> None:
    project.makeini("[pytest]\nsms_label = pool\nsms_ttl = 1\n")
    project.makepyfile("""
        import os

        def test_killed(sms_line):
            os._exit(9)

        def test_next(sms_line):
            pass
    """)
    project.runpytest_subprocess("-n", "1").assert_outcomes(failed=1, passed=1)
    assert no_line_is_taken(server)


def test_others_are_told_which_test_on_which_worker_has_the_line(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest
        import smscatch

        def test_sign_up(sms, sms_line):
            with pytest.raises(smscatch.NoFreeLine, match=r"'test_others\\S+py::test_sign_up \\(gw0 on "):
                sms.lease(line=sms_line.number, wait=0)
    """)
    project.runpytest_subprocess("-n", "1").assert_outcomes(passed=1)


def test_a_project_that_uses_no_fixture_of_it_pays_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", LEAN_PYTEST)
    pytester.makepyfile("""
        import sys

        def test_nothing(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("smscatch")
            loaded = {name for name in sys.modules if name.partition(".")[0] in ("smscatch", "httpx2", "msgspec")}
            assert loaded == {"smscatch", "smscatch.errors", "smscatch.pytest_plugin"}
    """)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_settings_file_of_the_project_is_read(
    project: pytest.Pytester, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SMSCATCH_KEY")
    monkeypatch.delenv("SMSCATCH_URL")
    monkeypatch.delenv("SMSCATCH_CONFIG", raising=False)
    (project.path / "smscatch.toml").write_text(f'url = "{server.url}"\nkey = "{ADMIN_KEY}"\n')
    project.makepyfile("def test_sign_up(sms_line): pass")
    project.runpytest().assert_outcomes(passed=1)


def test_where_no_server_is_set_one_runs_for_all_workers_who_share_no_code_and_ends_with_them(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMSCATCH_KEY")
    monkeypatch.delenv("SMSCATCH_URL")
    monkeypatch.setenv("SMSCATCH_VIRTUAL_CODES", "+1xxxxxxxxxx=424242")
    project.makeconftest("")
    project.makepyfile("""
        import httpx2
        import pytest
        from pathlib import Path

        @pytest.mark.parametrize("worker", ["a", "b"])
        def test_verify(sms, sms_line, worker):
            url = f"{sms.send_url('twilio')}/v2/Services/VA1/Verifications"
            form = {"To": sms_line.number, "Channel": "sms"}
            httpx2.post(url, data=form, auth=("AC1", sms.key), verify=False).raise_for_status()
            assert sms_line.wait_for_code(sender="VERIFY") == "424242"
            assert sms.caught(sms_line.number).sender == "VERIFY"
            Path(f"url-{worker}").write_text(sms.url)
    """)
    many = SideBySide(project.path, 60)
    many.write()
    project.runpytest("-n", "3").assert_outcomes(passed=62)
    assert len({*many.numbers()}) == 60
    (url,) = {path.read_text() for path in project.path.glob("url-*")}
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)


def test_the_server_of_a_run_has_ended_when_its_run_has_whoever_started_it() -> None:
    own = OwnServer.made()
    worker = OwnServer.shared_by(*own.shared)
    url, _ = worker.find()
    assert httpx2.get(f"{url}/healthz").is_success
    own.end()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/healthz")
    worker.end()  # which waits for its child


FULL_POOL = """
import pytest
import smscatch
from smscatch import Client  # before a test's clock runs

@pytest.fixture
def full_pool(request):
    with smscatch.Client() as other, other.lease(label="pool", holder="the other test", ttl=SECONDS):
        yield
"""


@pytest.mark.parametrize(
    ("method", "fixture", "lease"), [("signal", "sms_line", ""), ("thread", "sms", "sms.lease(label='pool').release()")]
)
def test_the_queue_for_a_line_is_no_part_of_the_tests_time(
    project: pytest.Pytester, server: Server, *, method: str, fixture: str, lease: str
) -> None:
    project.makeconftest(FULL_POOL.replace("SECONDS", "4"))
    project.makepyfile(f"""
        import pytest

        @pytest.mark.timeout(3, method="{method}")
        def test_sign_up(full_pool, {fixture}):
            {lease or "pass"}
    """)
    project.runpytest_subprocess().assert_outcomes(passed=1)
    assert no_line_is_taken(server)


def test_a_test_that_has_its_line_may_still_be_struck(project: pytest.Pytester, server: Server) -> None:
    project.makeconftest("from smscatch import Client  # before the test's clock runs")
    project.makepyfile("""
        import time
        import pytest

        @pytest.mark.timeout(3)
        def test_sign_up(sms_line):
            time.sleep(60)
    """)
    result = project.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Timeout (>3.0s) from pytest-timeout.", f"*{LINE} received no texts during this*"])
    assert no_line_is_taken(server)


def test_a_test_that_is_struck_in_the_queue_says_who_has_the_line_and_where_it_stood(
    project: pytest.Pytester, server: Server
) -> None:
    """As with a client of its own, of which the plugin does not know."""
    project.makeconftest(FULL_POOL.replace("SECONDS", "60"))
    project.makepyfile("""
        import pytest
        import smscatch

        @pytest.mark.timeout(4)
        def test_sign_up(full_pool):
            with smscatch.Client() as client:
                client.lease(label="pool", wait=60)
    """)
    result = project.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    waited = "smscatch: after * s it still waited for a free line, at place 1 of the queue"
    result.stdout.fnmatch_lines([f"*{waited}: {LINE} is leased to 'the other test' until *"])
    with server.client() as client:  # it has left the queue
        client.lease(label="pool", wait=0).release()
