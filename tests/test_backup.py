"""`smscatch backup` and `restore`: all that an installation keeps comes back, or nothing is touched."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from smscatch import Client
from smscatch.cli.backup import CONFIG, STORE, _files_of
from smscatch.spool import Entry, Spool, write_entry
from tests.command_line import in_process as smscatch
from tests.conftest import Server

ENTRY = Entry("00000000000000000001-a", "generic", b"{}")


class Installation:
    """A folder with a store, a spool and a configuration, of which commands are told by the environment."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.spool = folder / "spool"
        self.store = folder / "smscatch.db"
        self.environ = {"SMSCATCH_STORE": f"sqlite:///{self.store}", "SMSCATCH_SPOOL": str(self.spool)}

    def run(self, *arguments: str | Path, **environ: str) -> str:
        """Run a command that succeeds; return what it prints."""
        done = smscatch(*map(str, arguments), **self.environ | environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuses(self, *arguments: str | Path) -> str:
        """Run a command that cannot be done; return the reason."""
        done = smscatch(*map(str, arguments), **self.environ)
        assert done.returncode in {2, 3}, done.stderr
        return done.stderr


@pytest.fixture
def old(tmp_path: Path) -> Installation:
    """With a key, and a text that waits in the spool."""
    installation = Installation(tmp_path / "old")
    installation.run("keys", "add", "ci")
    installation.spool.mkdir()
    write_entry(installation.spool, ENTRY)
    return installation


@pytest.fixture
def new(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "new")


@pytest.fixture
def backup(old: Installation, tmp_path: Path) -> Path:
    old.run("backup", tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


def test_a_server_goes_on_from_the_backup_of_another_that_ran_meanwhile(
    make_server: Callable[[], Server], tmp_path: Path
) -> None:
    first, second = make_server(), make_server()
    key = Installation(first.folder).run("keys", "add", "ci").strip()
    first.start()
    first.send("Your code is 482913")
    with first.client() as client:
        assert client.wait_for_code(after="0") == "482913"
    aside = first.spool / "rejected" / "00000000000000000001-a.sms"
    aside.write_bytes(b"what could not be read")
    Installation(first.folder).run("backup", tmp_path / "backup.zip")
    Installation(second.folder).run("restore", tmp_path / "backup.zip")
    second.start()
    with Client(second.url, key) as client:
        assert [message.text for message in client.messages()] == ["Your code is 482913"]
    assert (second.spool / "rejected" / aside.name).read_bytes() == b"what could not be read"


def test_what_waits_in_the_spool_comes_back(backup: Path, new: Installation) -> None:
    new.run("restore", backup)
    spool = Spool(new.spool)
    assert [spool.read(name) for name in spool.names()] == [ENTRY]
    spool.close()
    assert "ci" in new.run("keys", "list")


def test_the_spool_is_read_before_the_store_to_which_the_server_moves_its_texts(backup: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert zipfile.ZipFile(backup).namelist()[-2:] == [f"spool/{ENTRY.name}.sms", "store.jsonl"]


def test_a_text_that_leaves_the_spool_meanwhile_is_left_to_the_store(old: Installation) -> None:
    write_entry(old.spool, ENTRY._replace(name="00000000000000000002-b"))
    files = _files_of(old.spool)
    assert next(files)[0] == f"{ENTRY.name}.sms"
    (old.spool / "00000000000000000002-b.sms").unlink()
    assert list(files) == []


def changed(content: bytes) -> bytes:
    place = content.index(STORE.encode()) + 50  # behind the name stands what is packed
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    "harm",
    [lambda content: content[:-1], changed, lambda _: b"", lambda _: b'{"kind": "end", "records": 0}\n'],
    ids=["cut off", "changed", "empty", "an export"],
)
def test_of_a_backup_that_is_not_whole_nothing_is_restored(
    backup: Path, new: Installation, harm: Callable[[bytes], bytes]
) -> None:
    backup.write_bytes(harm(backup.read_bytes()))
    assert f"smscatch: {backup} is " in new.refuses("restore", backup)
    assert not new.store.exists()
    assert not new.spool.exists()


def test_another_zip_file_is_no_backup(new: Installation, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("holiday.txt", "sea")
    assert "is no backup of smscatch" in new.refuses("restore", tmp_path / "other.zip")
    assert "No such file" in new.refuses("restore", tmp_path / "none.zip")


def test_a_file_that_belongs_into_no_spool_is_written_nowhere(backup: Path, new: Installation) -> None:
    with zipfile.ZipFile(backup, "a") as changed_one:
        changed_one.writestr("spool/../outside", "text")
    assert "belongs into no spool" in new.refuses("restore", backup)
    assert not (new.spool.parent / "outside").exists()


def test_what_is_there_is_not_overwritten(backup: Path, old: Installation, new: Installation) -> None:
    assert "holds something already" in old.refuses("restore", backup)
    assert "File exists" in old.refuses("backup", backup)
    new.spool.mkdir()
    write_entry(new.spool, ENTRY._replace(body=b"[]"))
    assert "is another than in the backup: move it away" in new.refuses("restore", backup)


def test_beside_a_server_nothing_is_restored(backup: Path, new: Installation) -> None:
    running = Spool(new.spool)
    assert "Another smscatch drains the spool" in new.refuses("restore", backup)
    running.close()


def test_a_restore_that_was_killed_before_the_store_was_read_is_run_again(backup: Path, new: Installation) -> None:
    new.spool.mkdir()
    write_entry(new.spool, ENTRY)
    new.run("restore", backup)
    assert "ci" in new.run("keys", "list")


def test_the_configuration_comes_back_where_one_wants_it(old: Installation, new: Installation, tmp_path: Path) -> None:
    config = tmp_path / "smscatch.toml"
    config.write_text('retention = "7d"\n')
    old.run("backup", tmp_path / "backup.zip", SMSCATCH_CONFIG=str(config))
    written = tmp_path / "new.toml"
    new.run("restore", tmp_path / "backup.zip", "--config", written)
    assert written.read_bytes() == config.read_bytes()
    assert "File exists" in new.refuses("restore", tmp_path / "backup.zip", "--config", written)
    with zipfile.ZipFile(tmp_path / "backup.zip") as whole, zipfile.ZipFile(tmp_path / "bare.zip", "w") as bare:
        for name in set(whole.namelist()) - {CONFIG}:
            bare.writestr(name, whole.read(name))
    assert "has no smscatch.toml" in new.refuses("restore", tmp_path / "bare.zip", "--config", tmp_path / "bare.toml")
