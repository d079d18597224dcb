"""`smscatch catch -- COMMAND` as a user types it, against a real server."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import smpplib.client

from smscatch import BadRequest, Client, NotCaught, cli
from smscatch.cli.catcher import settings_of as catcher_settings
from smscatch.redirecting import SmppTarget
from tests.carrier import eventually
from tests.command_line import as_process
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.sinks.adb import FakeAdb
from tests.surroundings import bare_environ
from tests.warm import WarmProcess

MESSAGES = f"https://api.twilio.com/2010-04-01/Accounts/AC{32 * '0'}/Messages.json"
# An application as it is, and its test: neither knows of a base URL, of a key or of a line.
SIGN_UP = """
import os
import twilio.rest
from vonage_http_client.auth import Auth
from vonage_http_client.http_client import HttpClient
from vonage_sms import Sms, SmsMessage
from smscatch import Client

def send(to):
    return twilio.rest.Client().messages.create(to=to, from_="+15005550006", body="Your Example code is 482913")

with Client() as sms, sms.lease() as phone:
    sent = send(phone.number)
    print(os.environ["SMSCATCH_URL"])
    print(phone.wait_for_code(timeout=300))
    print(twilio.rest.Client().messages(sent.sid).fetch().status)
    try:
        send("no number")
    except twilio.base.exceptions.TwilioRestException as error:
        print(error.code)
    service = twilio.rest.Client().verify.v2.services("VA" + 32 * "0")
    service.verifications.create(to=phone.number, channel="sms")
    code = phone.wait_for_code(sender="VERIFY", timeout=300)
    print(code)
    print(service.verification_checks.create(to=phone.number, code=code).status)
    keys = Auth(os.environ["VONAGE_API_KEY"], signature_secret=os.environ["VONAGE_SIGNATURE_SECRET"])
    print(Sms(HttpClient(keys)).send(SmsMessage(to=phone.number, from_="Acme", text="hello")).message_count)
"""
CODES = "+1xxxxxxxxxx=424242"
# Keys of its own, which are not those of a catcher, and the code of each verification.
VARIABLES = {
    "SMSCATCH_VIRTUAL_CODES": CODES,
    "TWILIO_ACCOUNT_SID": "AC" + 32 * "0",
    "TWILIO_AUTH_TOKEN": "real",
    "VONAGE_API_KEY": "abcd1234",
    "VONAGE_SIGNATURE_SECRET": "real",
}


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.kill()


def catch(server: Server, folder: Path, *command: str, key: str = ADMIN_KEY) -> subprocess.CompletedProcess[str]:
    """Run a command that is caught, with `folder` for temporary files."""
    given = {"SMSCATCH_URL": server.url, "SMSCATCH_KEY": key, "TMPDIR": str(folder), "SECRET": "kept"}
    return as_process("catch", "--", *command, **given)


def test_a_program_is_caught_and_ends_as_it_would(shared_server: Server, tmp_path: Path) -> None:
    script = 'curl -s -o said -w "%{http_code}" -d To=1 $TWILIO; echo " $SECRET $SMSCATCH_URL"; exit 7'
    done = catch(shared_server, tmp_path, "sh", "-c", f"cd {tmp_path}; TWILIO={MESSAGES}; {script}")
    assert done.returncode == 7
    assert done.stdout == f"401 kept {shared_server.url}\n"
    hint = "401 is for a key that is not the catcher's"
    assert done.stderr == f"smscatch: caught api.twilio.com, answered 401 once; {hint}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["said"]  # nothing of ours is left


def test_a_program_that_calls_no_provider_is_said_so(shared_server: Server, tmp_path: Path) -> None:
    done = catch(shared_server, tmp_path, "true")
    assert done.returncode == 0
    assert done.stderr.startswith("smscatch: caught nothing: no call to an SMS provider came this way")


def test_a_code_comes_to_the_test_that_waits_for_it_with_nothing_set_up_and_nothing_changed(tmp_path: Path) -> None:
    done = as_process("catch", "--", sys.executable, "-c", SIGN_UP, TMPDIR=str(tmp_path), **VARIABLES)
    assert done.returncode == 0, done.stderr
    url, *said = done.stdout.splitlines()
    assert said == ["482913", "delivered", "21211", "424242", "approved", "1"]
    notice, caught, *others = done.stderr.splitlines()
    assert notice.startswith(f"smscatch: no server is named, so one runs for this command: {url}/ with the key ")
    assert caught == "smscatch: caught api.twilio.com, answered 200 once, 201 once, 400 once"
    assert others == [
        "smscatch: caught rest.nexmo.com, answered 200 once",
        "smscatch: caught verify.twilio.com, answered 201 2 times",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_signal_is_handed_on(shared_server: Server, tmp_path: Path) -> None:
    script = "trap 'echo asked; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    (folder := tmp_path / "temporary").mkdir()
    environ = bare_environ(SMSCATCH_URL=shared_server.url, SMSCATCH_KEY=ADMIN_KEY, TMPDIR=str(folder))
    with WarmProcess(["catch", "--", "sh", "-c", script], environ, tmp_path / "log") as process:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.stdout.read() == "asked\n"
        assert process.wait(PATIENCE_SECONDS) == 9
    assert list(folder.iterdir()) == []


def test_a_program_is_not_run_for_a_key_that_the_server_does_not_know(shared_server: Server, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    done = catch(shared_server, tmp_path, "touch", str(ran), key="a-key-that-nobody-knows")
    assert done.returncode == 3
    assert "key" in done.stderr
    assert not ran.exists()


def test_what_is_no_program_is_said(shared_server: Server, tmp_path: Path) -> None:
    done = catch(shared_server, tmp_path, "/no/such/program")
    assert done.returncode == 2
    assert "/no/such/program cannot be run" in done.stderr
    assert list(tmp_path.iterdir()) == []


def submit_by_smpp(smsc: SmppTarget, number: str, text: str) -> None:
    place = urlsplit(smsc.url)
    app = smpplib.client.Client(place.hostname, place.port, allow_unknown_opt_params=True)
    app.connect()
    app.bind_transceiver(system_id=smsc.system_id, password=smsc.password)
    app.send_message(source_addr="Acme", destination_addr=number, short_message=text.encode())
    app.read_once()
    app.unbind()
    app.disconnect()


@contextlib.contextmanager
def a_catcher(folder: Path, *options: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `smscatch catch` as a server; yield its process and what it says at its start. It ends in any case."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "smscatch.cli", "catch", *options],
        env=bare_environ(TMPDIR=str(folder), **{"SMSCATCH_PORT": "0"} | environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if "Ctrl-C" in line:
                    break
            else:
                pytest.fail(f"it ended, and had said: {said}")
            yield process, said
        finally:
            process.kill()


def test_without_a_command_it_is_a_server_that_says_how_to_point_an_sdk_at_it(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    adb = FakeAdb(tmp_path_factory.mktemp("adb"))
    environ = {"SMSCATCH_KEY": "a-key-that-is-known", "SMSCATCH_VIRTUAL_CODES": CODES}
    environ["PATH"] = f"{adb.path.parent}:{os.environ['PATH']}"
    with a_catcher(tmp_path, "--emulator", "emulator-5554", **environ) as (process, said):
        url = next(line.split()[1].rstrip("/") for line in said.splitlines() if line.strip().startswith("page"))
        assert f'client.verify.base_url = "{url}/twilio"' in said
        assert f"export SMSCATCH_URL={url} SMSCATCH_KEY=a-key-that-is-known" in said
        with Client(url, "a-key-that-is-known") as sms:
            leases = [sms.lease(), sms.lease(label="any at all")]
            assert len({lease.number for lease in leases}) == 2
            asked = {"To": leases[1].number, "Channel": "sms"}
            httpx2.post(f"{sms.send_url('twilio')}/v2/Services/VA1/Verifications", data=asked, auth=("AC1", sms.key))
            assert leases[1].wait_for_code() == "424242"
            with pytest.raises(NotCaught, match=r"No text to \+1\d+ was caught in 0 s: nothing came at all"):
                sms.caught(leases[0].number, timeout=0)
            with pytest.raises(BadRequest, match="there are: twilio, "):
                sms.send_url("nobody")
            smsc = sms.smpp()
            assert (
                f"bind at {sms.send_url('smpp')} with the system_id smscatch and the password {smsc.password}" in said
            )
            submit_by_smpp(smsc, leases[0].number, "Your code is 482913")
            assert sms.caught(leases[0].number).code == "482913"
        typed = ["-s", "emulator-5554", "emu", "sms", "send", "Acme", "Your code is 482913"]
        asyncio.run(eventually(lambda: typed in adb.calls, "the text is typed into the emulator"))
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert [path.name for path in tmp_path.iterdir()] == []


def test_such_a_server_heeds_the_environment_but_for_the_store_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "smscatch.toml").write_text('host = "192.0.2.1"\nport = 1\nkey = "the-key-that-clients-have"\n')
    variables = {
        "CONFIG": str(tmp_path / "smscatch.toml"),
        "HOST": "localhost",
        "PORT": "7",
        "STORE": "postgresql://192.0.2.1/real",
        "SPOOL": "/real",
        "SMPP_SERVER_PASSWORD": "known-by",
    }
    environ = {f"SMSCATCH_{name}": value for name, value in variables.items()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        heeded = catcher_settings("/own", None, None, None)
        typed = catcher_settings("/own", None, "8", None)
    assert (heeded.host, heeded.port, heeded.admin_key) == ("localhost", 7, "the-key-that-clients-have")
    assert (heeded.store, str(heeded.spool)) == ("sqlite:////own/smscatch.db", "/own/spool")
    assert (heeded.smpp_server_host, heeded.smpp_server_port) == ("localhost", 0)
    assert heeded.smpp_server_password == "known-by"
    assert typed.port == 8


def test_such_a_server_ends_with_the_process_that_it_is_for(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as owner, a_catcher(tmp_path, "--until", str(owner.pid)) as (process, _):
        owner.kill()
        owner.wait()
        assert process.wait(PATIENCE_SECONDS) == 0


def test_an_emulator_is_for_the_server_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["catch", "--emulator", "emulator-5554", "--", "true"]) == 3
    assert "run that one, and COMMAND beside it" in capsys.readouterr().err
    assert cli.main(["catch", "--emulator", "R58M12ABCDE"]) == 2
    assert "that is no emulator. Give one as `adb devices` lists it" in capsys.readouterr().err


def test_without_its_extra_the_command_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    for name in ("smscatch.catching.catcher", "smscatch.catching.authority"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert cli.main(["catch", "--", "true"]) == 3
    assert "pip install 'smscatch[catch]'" in capsys.readouterr().err
