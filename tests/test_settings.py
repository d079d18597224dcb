"""Where settings come from, and what is said when one is wrong."""

import errno
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from smscatch.errors import BadSetting
from smscatch.settings import FIELDS, TABLES, Settings, SinkSettings, hide_password, load_settings
from smscatch.settings.fields import Field
from smscatch.sinks import KINDS, open_sinks
from smscatch.sources import open_sources, signed_kinds
from tests.test_numbers import WAYS


def config(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "smscatch.toml"
    path.write_text(text, encoding="utf-8")
    return {"SMSCATCH_CONFIG": str(path)}


def test_the_command_line_goes_before_the_environment_before_the_file_before_the_default(tmp_path: Path) -> None:
    environ = config(tmp_path, 'port = 1\nhost = "::1"\nretention = "12h"')
    settings = load_settings({"port": "3", "host": None}, environ | {"SMSCATCH_PORT": "2", "SMSCATCH_HOST": "0.0.0.0"})
    assert (settings.port, settings.host, settings.retention) == (3, "0.0.0.0", timedelta(hours=12))
    assert settings.origins["port"] == "command line"
    assert settings.origins["host"] == "SMSCATCH_HOST"
    assert settings.origins["retention"] == environ["SMSCATCH_CONFIG"]
    assert settings.origins["store"] == "default"


def test_without_anything_it_listens_on_this_machine_only() -> None:
    settings = load_settings(environ={})
    assert (settings.host, settings.port, settings.url) == ("127.0.0.1", 7672, "http://127.0.0.1:7672")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("port", "65536"),
        ("port", "-1"),
        ("port", "7_672"),
        ("spool", " "),
        ("store", "sqlite:///:memory:"),
        ("store", "mysql://x"),
        ("store", "sqlite://no/third/slash"),
        ("store", "postgresql://"),
        ("lease_rest", "soon"),
        ("retention", "a month"),
        ("retention", "0d"),
        ("retention", "999999999d"),
        ("url", "localhost:7672"),
    ],
)
def test_a_wrong_value_is_refused_with_key_value_and_accepted_form(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(environ={f"SMSCATCH_{name.upper()}": value})
    for part in (name, value, f"SMSCATCH_{name.upper()}", FIELDS[name].form):
        assert part in str(caught.value)


def test_a_wrong_secret_is_refused_without_being_shown() -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(environ={"SMSCATCH_ADMIN_KEY": "short secret"})
    assert "short secret" not in str(caught.value)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef\n")
    settings = load_settings(environ={"SMSCATCH_ADMIN_KEY_FILE": str(tmp_path / "key")})
    assert settings.admin_key == "0123456789abcdef"
    with pytest.raises(BadSetting, match="SMSCATCH_KEY_FILE"):
        load_settings(environ={"SMSCATCH_KEY_FILE": str(tmp_path / "missing")})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "Did you mean 'port'"),
        ("port = ", "is not TOML"),
        ('[lines."12345"]', "a number in E.164"),
        ('[lines."+447700900001"]\nlable = "x"', "lable"),
        ('[lines."+447700900001"]\ndevice = "/dev/x"\nphone_id = "x"', "one reader per modem"),
        ('[lines."+447700900001"]\nphone_id = "x"\n[lines."+447700900002"]\nphone_id = "x"', "'x' stands in two lines"),
        ("lines = 3", "Accepted"),
        ('[lines."0151 12345678"]', "the setting `country`"),
        ('[lines."+4915112345678"]\n[lines."+49 (0)151 12345678"]', "it is +4915112345678 as well"),
        ('country = "UK"', "such as DE or GB"),
        ('country = "Germany"', "such as DE or GB"),
        ('host = ["::1"]', "host = ['::1']"),
        ("port = true", "port = True"),
        ('[lines."+447700900001"]\ndevice = "/dev/x"\npin = "12a4"', "4 to 8 digits"),
        ('[lines."+447700900001"]\nengine = "modem"', "link, modemmanager or hilink"),
        ('[lines."+447700900001"]\nengine = "modemmanager"\npin = "1234"', "it enters no PIN"),
        ('[lines."+447700900001"]\nengine = "modemmanager"\nbaud = 9600', "baud is of no use"),
        ('[lines."+447700900001"]\nengine = "modemmanager"\nself_test = 1', "self_test is of no use"),
        ('[lines."+447700900001"]\nengine = "modemmanager"\ndevice = "socket://pi:2000"', "its own machine"),
        ('[lines."+447700900001"]\nengine = "modemmanager"\nphone_id = "x"', "both engine and phone_id"),
        ('[lines."+447700900001"]\nrelist = "soon"', "0s is never"),
        ('[lines."+447700900001"]\ndevice = "/dev/x"\npassword = "secret"', "it is for 'hilink'"),
        ('[lines."+447700900001"]\ndevice = "http://192.168.8.1"', "only hilink reads that"),
        ('[lines."+447700900001"]\ndevice = "http://a@b"', "http://host for hilink"),
        ('[lines."+447700900001"]\nengine = "hilink"\ndevice = "/dev/x"', "such as http://192.168.8.1"),
        ('[lines."+447700900001"]\nengine = "hilink"\nzone = "Berlin"', "an IANA name"),
        ('[lines."+447700900001"]\nengine = "hilink"\npin = "1234"', "it is for 'link'"),
        (
            '[lines."+447700900001"]\nengine = "modemmanager"\n[lines."+447700900002"]\nengine = "modemmanager"',
            "for the only line",
        ),
        (
            '[lines."+447700900001"]\ndevice = "auto"\n[lines."+447700900002"]\nengine = "modemmanager"',
            "for the only line",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(environ=config(tmp_path, text))
    assert said in str(caught.value)
    assert "smscatch.toml" in str(caught.value)


def test_a_line_of_modemmanager_takes_the_only_modem_unless_it_names_one(tmp_path: Path) -> None:
    text = '[lines."+447700900001"]\nengine = "modemmanager"\n[lines."+447700900002"]\ndevice = "/dev/ttyUSB0"'
    lines = load_settings(environ=config(tmp_path, text)).lines
    line = lines["+447700900001"]
    assert (line.device, line.relist_seconds, line.reader()) == ("auto", 600, "read by ModemManager at auto")
    assert lines["+447700900002"].reader() == "read by our link at /dev/ttyUSB0"


def test_a_named_file_that_is_missing_is_refused() -> None:
    with pytest.raises(BadSetting, match=r"/nowhere/smscatch\.toml cannot be read"):
        load_settings(environ={"SMSCATCH_CONFIG": "/nowhere/smscatch.toml"})


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_the_file_of_a_server_that_only_its_user_may_read_is_an_error_with_what_to_do_and_none_for_a_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    place = tmp_path / "smscatch.toml"
    place.touch()
    monkeypatch.setattr("smscatch.settings.CONFIG_PLACES", (place,))

    def refuse(path: Path, encoding: str = "") -> None:  # the tests run as root too, who may read all
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    for refused in ["read_text"] if closed == "file" else ["read_text", "is_file"]:
        monkeypatch.setattr(Path, refused, refuse)
    with pytest.raises(BadSetting, match=r"cannot be read: Permission denied\. Be a user who may .* SMSCATCH_CONFIG"):
        load_settings(environ={})
    assert load_settings(environ={}, for_client=True).config is None
    with pytest.raises(BadSetting, match="cannot be read"):
        load_settings(environ={"SMSCATCH_CONFIG": str(place)}, for_client=True)


@pytest.mark.parametrize(
    ("phone_id", "line"),
    [
        ("stick1", "+447700900001"),
        ("", "+447700900003"),
        ("strange", "+447700900003"),
        ("+491701234567", "+491701234567"),
    ],
)
def test_a_modem_serves_the_line_that_names_it_or_the_only_one_that_names_none(
    tmp_path: Path, phone_id: str, line: str
) -> None:
    text = '[lines."+447700900001"]\nphone_id = "stick1"\n[lines."+447700900003"]\nlabel = "free"'
    assert load_settings(environ=config(tmp_path, text)).line_of(phone_id) == line


GERMAN = '[lines."0151 12345678"]\nlabel = "ours"\n[lines."+447700900001"]\nphone_id = "stick"'


def test_a_line_is_found_however_it_is_written(tmp_path: Path) -> None:
    settings = load_settings(environ=config(tmp_path, f'country = "de"\n{GERMAN}'))
    assert list(settings.lines) == ["+4915112345678", "+447700900001"]
    for written in WAYS:
        assert settings.line_named(written) == settings.line_of(written) == "+4915112345678"
    # What begins with no country code and is read in Germany otherwise is ours, if it can be.
    assert settings.line_named("447700900001") == "+447700900001"


def test_what_is_none_of_our_lines_is_a_line_of_its_own_and_unconfigured(tmp_path: Path) -> None:
    settings = load_settings(environ=config(tmp_path, f'country = "DE"\n{GERMAN}'))
    strange = {settings.line_of(written) for written in ("0170 1234567", "+49(0)1701234567", "00491701234567")}
    assert strange == {"+491701234567"}
    assert settings.is_unconfigured("+491701234567")
    assert not settings.is_unconfigured("+4915112345678")
    assert not load_settings(environ={}).is_unconfigured("+491701234567")


def test_a_national_number_that_no_country_is_set_for_is_not_taken_for_another_line(tmp_path: Path) -> None:
    text = '[lines."+4915112345678"]\nlabel = "ours"\n[lines."+447700900001"]\nphone_id = "stick"'
    settings = load_settings(environ=config(tmp_path, text))
    assert settings.line_of("0170 1234567") == settings.line_of("0170/123-4567") == "01701234567"


def test_without_lines_the_modem_is_known_by_its_name() -> None:
    settings = load_settings(environ={})
    assert settings.line_of("stick1") == "stick1"
    assert settings.line_of("") == "unknown"


def test_a_misspelt_variable_is_refused_and_a_strange_one_is_not() -> None:
    with pytest.raises(BadSetting, match="Did you mean SMSCATCH_RETENTION"):
        load_settings(environ={"SMSCATCH_RETENTON": "1d"})
    load_settings(environ={"SMSCATCH_TEST_MONGODB": "x", "SMSCATCH_ADMIN_KEY_FILE": ""})


@pytest.mark.parametrize(
    ("host", "url"), [("::1", "http://[::1]:1"), ("::", "http://[::1]:1"), ("0.0.0.0", "http://127.0.0.1:1")]
)
def test_the_client_finds_a_server_on_this_machine(host: str, url: str) -> None:
    assert load_settings(environ={"SMSCATCH_HOST": host, "SMSCATCH_PORT": "1"}).url == url


def test_a_folder_may_be_below_home() -> None:
    assert load_settings(environ={"SMSCATCH_SPOOL": "~/spool"}).spool == Path.home() / "spool"


def test_a_modem_named_by_a_number_is_known_as_such() -> None:
    settings = load_settings(environ={})
    assert settings.line_of("4915112345678") == settings.line_of("+49 151 12345678") == "+4915112345678"
    assert settings.line_of(" stick") == "stick"


def test_the_password_in_a_stores_address_is_not_shown() -> None:
    assert hide_password("postgresql://anna:p@ss:word@db/sms") == "postgresql://anna:…@db/sms"
    assert hide_password("sqlite:////var/lib/x.db") == "sqlite:////var/lib/x.db"
    with pytest.raises(BadSetting, match="mysql://anna:…@db"):
        load_settings(environ={"SMSCATCH_STORE": "mysql://anna:secret@db"})


def test_a_rest_may_be_nothing() -> None:
    assert load_settings(environ={"SMSCATCH_LEASE_REST": "0s"}).lease_rest == timedelta(0)


def test_a_store_in_postgresql_has_two_names_and_may_have_a_second_address() -> None:
    settings = load_settings(
        environ={"SMSCATCH_STORE": "postgres://u:p@pooler/x", "SMSCATCH_STORE_LISTEN": "postgresql://u:p@db/x"}
    )
    assert (settings.store, settings.store_listen) == ("postgres://u:p@pooler/x", "postgresql://u:p@db/x")
    with pytest.raises(BadSetting, match=r"store_listen = 'mongodb://u:…@db/x'.*is not accepted") as caught:
        load_settings(environ={"SMSCATCH_STORE_LISTEN": "mongodb://u:secret@db/x"})
    assert "secret" not in str(caught.value)


def test_a_sink_has_a_table_of_its_own(tmp_path: Path) -> None:
    table = '[sinks.ci]\nkind = "json"\nurl = "https://h.example/x"\nlines = ["+44 7700 900001"]\nallow_private = true'
    settings = load_settings(environ=config(tmp_path, table))
    assert settings.sinks == {"ci": SinkSettings("json", "https://h.example/x", ("+447700900001",), allow_private=True)}
    assert load_settings(environ={}).sinks == {}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:password@h.example:8443/services/T0?token=t#f", "https://h.example:8443/…"),
        ("http://[::1]:80/x", "http://[::1]:80/…"),
        ("https://h.example", "https://h.example/…"),
    ],
)
def test_of_the_url_of_a_sink_the_host_alone_is_shown(url: str, shown: str) -> None:
    assert SinkSettings("json", url).shown_url == shown


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[sinks.ci]\nkind = "json"', "url"),
        ('[sinks.ci]\nurl = "https://secret.example"', "kind"),
        ('[sinks.ci]\nkind = "json"\nurl = 5', "url"),
        ('[sinks.ci]\nkind = "json"\nurl = "https://secret.example"\nlable = "x"', "lable"),
        ('[sinks.ci]\nkind = "json"\nurl = "https://secret.example"\nlines = ["x"]', "E.164"),
        ('[sinks."a b"]\nkind = "json"\nurl = "https://secret.example"', "a b"),
        *(
            (f'[sinks.ci]\nkind = "json"\nurl = "{url}"', "sinks.ci.url = the value given")
            for url in (
                "",
                "ftp://secret",
                "https://",
                "secret.example",
                "https://secret:x/",
                "https://[secret",
                "http://a b",
            )
        ),
        ('[sink.ci]\nkind = "json"', "Did you mean 'sinks'?"),
        ("sinks = 5", "sinks"),
    ],
)
def test_a_wrong_sink_is_refused_without_showing_its_url(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(environ=config(tmp_path, table))
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_kind_of_sink_that_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    settings = load_settings(environ=config(tmp_path, '[sinks.ci]\nkind = "jsn"\nurl = "https://secret.example"'))
    with pytest.raises(BadSetting, match=r"sinks\.ci: there is no kind 'jsn'\. Kinds: emulator, json\."):
        open_sinks(settings)


PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


def row(name: str, field: Field, default: str) -> str:
    secret = "; a secret" if field.is_secret else ""
    return f"| `{name}` | {field.help}{secret} | {field.form} | {default} |"


def flat_rows() -> list[str]:
    return [row(name, field, field.default or "") for name, field in FIELDS.items()]


def table_rows(name: str) -> list[str]:
    """Return what the page has of a table: its header, what it is, and its keys."""
    table = TABLES[name]
    needed = {field.name for field in msgspec.structs.fields(table.entry) if field.required}
    rows = [row(key, field, "needed" if key in needed else "") for key, field in table.fields.items()]
    head = [f"### `{table.header}`: {table.help}", "", f"{table.name_form[0].upper()}{table.name_form[1:]}.", ""]
    return [*head, "| key | what it is | takes | |", "|---|---|---|---|", *rows]


def test_the_page_of_settings_has_a_row_for_each_and_none_for_what_there_is_not() -> None:
    wanted = [*flat_rows(), *(line for name in TABLES for line in table_rows(name) if line)]
    written = PAGE.read_text("utf-8").splitlines()
    assert [line for line in wanted if line not in written] == []
    assert [line for line in written if line.startswith("| `") and line not in wanted] == []


def test_each_key_of_a_table_says_what_it_is_and_each_table_has_a_place_in_the_settings() -> None:
    for name, table in TABLES.items():
        assert set(table.fields) == {field.name for field in msgspec.structs.fields(table.entry)}, name
        assert all(field.help and field.form for field in table.fields.values()), name
    described = {*FIELDS, *TABLES, "origins", "config"}
    assert described == {field.name for field in msgspec.structs.fields(Settings)}


def test_a_secret_of_a_table_may_stand_in_a_file_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("1234\n")
    (tmp_path / "url").write_text("https://hooks.example/T0/secret\n")
    table = (
        f'[lines."+447700900001"]\ndevice = "/dev/x"\npin_file = "{tmp_path}/pin"\n'
        f'[sinks.ci]\nkind = "json"\nurl_file = "{tmp_path}/url"'
    )
    settings = load_settings(environ=config(tmp_path, table))
    assert (settings.lines["+447700900001"].pin, settings.sinks["ci"].url) == (
        "1234",
        "https://hooks.example/T0/secret",
    )
    shown = {name: value for name, _, value in settings.rows()}
    assert (shown['lines."+447700900001".pin'], shown["sinks.ci.url"]) == ("(set)", "https://hooks.example/…")
    assert shown['lines."+447700900001".label'] == "(unset)"
    assert settings.origins['lines."+447700900001".pin'] == f"{tmp_path}/pin"
    assert settings.origins["sinks.ci.kind"] == f"{tmp_path}/smscatch.toml"


def test_a_client_needs_no_secret_of_a_table(tmp_path: Path) -> None:
    environ = config(tmp_path, 'port = 1\n[sinks.ci]\nkind = "json"\nurl_file = "/nowhere"')
    assert load_settings(environ=environ, for_client=True).url == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[sinks.ci]\nkind_file = "/nowhere"', "there is no setting 'sinks.ci.kind_file'. Did you mean 'kind'?"),
        (
            '[sinks.ci]\nkind = "json"\nurl = "https://s3cret"\nurl_file = "/nowhere"',
            "sinks.ci has both url and url_file",
        ),
        ('[sinks.ci]\nkind = "json"\nurl_file = "/nowhere"', "sinks.ci.url_file = '/nowhere' cannot be read"),
        ('[sinks.ci]\nkind = "json"\nurl_file = 5', "sinks.ci.url_file = 5 cannot be read"),
        ('key = ["s3cret"]', "key = the value given"),
        ('[lines."+447700900001"]\npin = 9753', "pin = the value given"),
        ("lines = 3", 'lines is not accepted. Accepted: [lines."+49…"] with label (optional)'),
    ],
)
def test_a_wrong_secret_of_a_table_is_refused_without_being_shown(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(environ=config(tmp_path, table))
    assert said in str(caught.value)
    shown = str(caught.value).replace(str(tmp_path), "")
    assert "s3cret" not in shown
    assert "9753" not in shown


def test_the_settings_say_which_kinds_of_sinks_there_are() -> None:
    assert set(KINDS) <= set(TABLES["sinks"].fields["kind"].form.split(", "))


def test_the_page_of_sources_has_each_kind() -> None:
    page = PAGE.with_name("sources.md").read_text("utf-8")
    assert [kind for kind in signed_kinds() if f'| `kind = "{kind}"` |' not in page] == []


SOURCE = """
[sources.rented]
kind = "twilio"
secrets = ["an old s3cret", " s3cret "]
public_url = "https://sms.example/x"
"""


def test_a_source_has_a_table_of_its_own_and_its_secrets_may_stand_in_a_file(tmp_path: Path) -> None:
    settings = load_settings(environ=config(tmp_path, f'{SOURCE}lines = "+44 7700 900001"'))
    opened = open_sources(settings)["rented"]
    assert (opened.secrets, opened.lines) == (("an old s3cret", "s3cret"), ("+447700900001",))
    assert "s3cret" not in str([value for _, _, value in settings.rows()])
    (tmp_path / "secrets").write_text("one\ntwo\n")
    in_file = SOURCE.replace("secrets =", f'secrets_file = "{tmp_path}/secrets" #')
    assert open_sources(load_settings(environ=config(tmp_path, in_file)))["rented"].secrets == ("one", "two")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            SOURCE.replace("twilio", "twillio"),
            "sources.rented: there is no kind 'twillio'. Kinds: ",
        ),
        (SOURCE.replace("twilio", "generic"), "there is no kind 'generic'"),
        (SOURCE.replace("public_url", "#"), "sources.rented: public_url is missing: twilio signs the address"),
        (SOURCE.replace("rented", "generic"), "sources.generic is not accepted"),
        ('[sources.a]\nkind = "twilio"\nsecrets = []', "sources.a.secrets = the value given"),
        ('[sources.a]\nkind = "twilio"\nsecrets = ["s3cret", ""]', "sources.a.secrets = the value given"),
        ('[sources.a]\nkind = "twilio"', "sources.a.secrets is missing"),
        (SOURCE.replace("https://", "https://me:pw@"), "sources.rented.public_url"),
        (SOURCE.replace("https://", "ftp://"), "sources.rented.public_url"),
        (f'{SOURCE}lines = ["x"]', "E.164"),
    ],
)
def test_a_wrong_source_is_refused_without_its_secrets(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(BadSetting) as caught:
        open_sources(load_settings(environ=config(tmp_path, table)))
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_line_of_hilink_has_the_usual_page_of_a_stick_and_its_password_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "stick").write_text("secret\n")
    text = f'[lines."+447700900001"]\nengine = "hilink"\npassword_file = "{tmp_path}/stick"\nzone = "Europe/Berlin"'
    line = load_settings(environ=config(tmp_path, text + '\n[lines."+447700900002"]\ndevice = "auto"')).lines[
        "+447700900001"
    ]
    assert (line.device, line.password, line.zone) == ("http://192.168.8.1", "secret", "Europe/Berlin")
    assert line.reader() == "read by HiLink at http://192.168.8.1"
