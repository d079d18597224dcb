"""Trust is extended: each variable's file holds what its clients trusted before, and our CA."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import pkcs12

from smscatch.catching.trust import bundles, default_roots, java_store
from smscatch.errors import BadSetting

ROOT, THEIRS, OURS = (trustme.CA().cert_pem.bytes().strip() for _ in range(3))


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


def test_the_systems_roots_are_found_and_java_can_have_them() -> None:
    roots = default_roots()
    assert len(roots) > 50
    store = pkcs12.load_pkcs12(
        java_store((*roots[:3], b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), OURS), None
    )
    assert len(store.additional_certs) == 4
