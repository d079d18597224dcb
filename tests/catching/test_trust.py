"""Trust is extended: each variable's file holds what its clients trusted before, and our CA."""

import ssl
import struct
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, pkcs12

from smscatch.catching.java import java_store, trusted_by_java
from smscatch.catching.trust import bundles, default_roots
from smscatch.errors import BadSetting

ROOT, THEIRS, OURS, OTHER = (trustme.CA().cert_pem.bytes().strip() for _ in range(4))


def has(bundle: bytes) -> list[str]:
    names = {"root": ROOT, "theirs": THEIRS, "ours": OURS}
    return [name for name, pem in names.items() if bundle.count(pem) == 1]


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.pem"
    path.write_bytes(b"# our company\n" + THEIRS + b"\n" + THEIRS)
    return path


def test_who_named_no_bundle_trusts_the_systems_roots_and_us() -> None:
    found = bundles({}, (ROOT,), OURS)
    assert {name: has(bundle) for name, bundle in found.items()} == {
        "SSL_CERT_FILE": ["root", "ours"],
        "REQUESTS_CA_BUNDLE": ["root", "ours"],
        "CURL_CA_BUNDLE": ["root", "ours"],
        "AWS_CA_BUNDLE": ["root", "ours"],
        "NODE_EXTRA_CA_CERTS": ["ours"],
    }


def test_a_bundle_that_was_named_stays_in_the_place_of_the_systems_roots(theirs: Path) -> None:
    found = bundles({"SSL_CERT_FILE": str(theirs), "NODE_EXTRA_CA_CERTS": str(theirs)}, (ROOT,), OURS)
    assert has(found["SSL_CERT_FILE"]) == has(found["NODE_EXTRA_CA_CERTS"]) == ["theirs", "ours"]
    # curl reads SSL_CERT_FILE too, unless CURL_CA_BUNDLE is set, as it is now; requests does not.
    assert has(found["CURL_CA_BUNDLE"]) == ["theirs", "ours"]
    assert has(found["REQUESTS_CA_BUNDLE"]) == ["root", "ours"]


def test_folders_of_certificates_are_bundles_too(theirs: Path) -> None:
    found = bundles(
        {"REQUESTS_CA_BUNDLE": str(theirs.parent), "SSL_CERT_DIR": f"{theirs.parent}:/nowhere"}, (ROOT,), OURS
    )
    assert has(found["REQUESTS_CA_BUNDLE"]) == has(found["AWS_CA_BUNDLE"]) == ["theirs", "ours"]
    assert has(found["SSL_CERT_FILE"]) == ["root", "theirs", "ours"]


def test_a_bundle_that_cannot_be_read_is_named_with_its_variable() -> None:
    with pytest.raises(BadSetting, match="CURL_CA_BUNDLE names /nowhere, which cannot be read"):
        bundles({"CURL_CA_BUNDLE": "/nowhere"}, (), OURS)


def pems_of(store: bytes) -> list[bytes]:
    entries = pkcs12.load_pkcs12(store, None).additional_certs
    return [entry.certificate.public_bytes(Encoding.PEM).strip() for entry in entries]


def test_the_systems_roots_are_found_and_java_can_have_them() -> None:
    roots = default_roots()
    assert len(roots) > 50
    no_certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    assert len(pems_of(java_store((*roots[:3], no_certificate), OURS))) == 4


def jks_of(*pems: bytes) -> bytes:
    """A trust store as keytool wrote it until Java 8."""
    entries = b""
    for number, pem in enumerate(pems):
        der, alias = ssl.PEM_cert_to_DER_cert(pem.decode()), f"alias {number}".encode()
        entries += struct.pack(">IH", 2, len(alias)) + alias + bytes(8)
        entries += struct.pack(">H", 5) + b"X.509" + struct.pack(">I", len(der)) + der
    return bytes.fromhex("feedfeed") + struct.pack(">II", 2, len(pems)) + entries + bytes(20)


@pytest.mark.parametrize("form", ["jks", "pkcs12", "pkcs12 with a password"])
def test_a_trust_store_that_javas_options_name_stays_in_the_place_of_its_roots(tmp_path: Path, form: str) -> None:
    path = tmp_path / "store"
    if form == "jks":
        path.write_bytes(jks_of(THEIRS, ROOT))
    else:
        encryption = BestAvailableEncryption(b"secret") if "password" in form else NoEncryption()
        entries = [pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(pem), None) for pem in (THEIRS, ROOT)]
        path.write_bytes(pkcs12.serialize_java_truststore(entries, encryption))
    options = f"-Da -Djavax.net.ssl.trustStore={path} -Djavax.net.ssl.trustStorePassword=secret"
    for name in ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"):
        trusted = trusted_by_java({name: options}, (OTHER,))
        assert [pem.strip() for pem in trusted] == [THEIRS, ROOT]
    assert pems_of(java_store(trusted, OURS)) == [THEIRS, ROOT, OURS]


def test_the_roots_of_the_jdk_are_added_to_the_systems(tmp_path: Path) -> None:
    store = tmp_path / "lib/security/cacerts"
    store.parent.mkdir(parents=True)
    store.write_bytes(jks_of(THEIRS, ROOT))
    trusted = trusted_by_java({"JAVA_HOME": str(tmp_path), "PATH": "/nowhere"}, (ROOT,))
    assert [pem.strip() for pem in trusted] == [ROOT, THEIRS]
    store.write_bytes(b"in another form")
    assert trusted_by_java({"JAVA_HOME": str(tmp_path), "PATH": "/nowhere"}, (ROOT,)) == (ROOT,)


@pytest.mark.parametrize("content", [None, b"", b"no store", jks_of(ROOT)[:300]])
def test_a_trust_store_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "store"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSetting, match=f"trust store {path}, which its options name, cannot be read"):
        trusted_by_java({"JAVA_TOOL_OPTIONS": f"-Djavax.net.ssl.trustStore={path}"}, ())
