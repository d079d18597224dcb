"""The certificate with which SMPP is encrypted: what cannot be used is said before anybody binds."""

import shutil
from pathlib import Path

import pytest

from smscatch.errors import CannotStart
from smscatch.redirecting import smpp_lines, smpp_url
from smscatch.smsc.server import tls_of
from tests.servers.certificates import make_certificate
from tests.surroundings import settings_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a certificate and its key in server.pem, the certificate alone in ca.pem, and another's key."""
    (tmp_path / "other").mkdir()
    shutil.copy(make_certificate(tmp_path / "other"), tmp_path / "other.pem")
    make_certificate(tmp_path)
    return tmp_path


def test_no_certificate_is_no_encryption(tmp_path: Path) -> None:
    assert tls_of(settings_in(tmp_path)) is None


@pytest.mark.parametrize(
    ("certificate", "key", "sentence"),
    [
        ("absent.pem", None, "No such file or directory"),
        ("ca.pem", None, "cannot be used"),  # it has no key
        ("ca.pem", "other.pem", "key values mismatch"),
        ("smscatch.toml", None, "cannot be used"),
        (None, "server.pem", "set without smpp_server_certificate: nothing is encrypted"),
    ],
)
def test_what_cannot_be_used_is_said(folder: Path, certificate: str | None, key: str | None, sentence: str) -> None:
    given = {"smpp_server_certificate": certificate, "smpp_server_certificate_key": key}
    settings = settings_in(folder, "", **{name: str(folder / file) for name, file in given.items() if file})
    with pytest.raises(CannotStart, match=sentence):
        tls_of(settings)


def test_who_is_told_where_to_bind_is_told_that_it_is_encrypted() -> None:
    url = smpp_url("https://[::1]:7672", 3550, tls=True)
    assert url == "ssmpp://[::1]:3550"
    by_hand, npm = smpp_lines(url, "app", "pass1234")
    assert url in by_hand
    assert f'smpp.connect({{url: "{url}"}})' in npm


def test_a_key_may_stand_in_a_file_of_its_own(folder: Path) -> None:
    given = {"smpp_server_certificate": "ca.pem", "smpp_server_certificate_key": "server.pem"}
    assert tls_of(settings_in(folder, "", **{name: str(folder / file) for name, file in given.items()})) is not None
