"""What a program trusts while it is caught: whatever it trusted before, and our CA. Trust is extended, never replaced.

Each of these variables replaces what a client trusts by itself, but for Node's, which adds to it.
"""

import re
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

from smscatch.errors import BadSetting

# Each with the variables that its clients read where it is not set, in this order: requests, botocore, curl.
BUNDLES: Mapping[str, tuple[str, ...]] = {
    "SSL_CERT_FILE": (),
    "REQUESTS_CA_BUNDLE": ("CURL_CA_BUNDLE",),
    "CURL_CA_BUNDLE": ("SSL_CERT_FILE",),
    "AWS_CA_BUNDLE": ("REQUESTS_CA_BUNDLE",),
}
NODE = "NODE_EXTRA_CA_CERTS"
FOLDER = "SSL_CERT_DIR"
# Where Linux distributions and macOS have all roots in one file; OpenSSL of another build looks elsewhere.
SYSTEM_FILES = (
    ssl.get_default_verify_paths().openssl_cafile,
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----", re.DOTALL
)

Certificates = tuple[bytes, ...]


def default_roots() -> Certificates:
    """Return the roots of the system, and those of certifi, which many Python packages have instead."""
    system = next((Path(file) for file in SYSTEM_FILES if Path(file).is_file()), None)
    found = _read(system) if system else ()
    try:
        import certifi  # noqa: PLC0415 - the system's will do
    except ModuleNotFoundError:
        return found
    return distinct((*found, *_read(Path(certifi.where()))))


def bundles(before: Mapping[str, str], roots: Certificates, ours: bytes) -> dict[str, bytes]:
    """Return what the file that each variable names is to hold: what its clients trusted before, and ours.

    Raises BadSetting if a file that a variable names cannot be read.
    """
    return {variable: _joined((*_trusted(variable, before, roots), ours)) for variable in BUNDLES} | {
        NODE: _joined((*_named(NODE, before), ours))
    }


def _trusted(variable: str, before: Mapping[str, str], roots: Certificates) -> Certificates:
    for name in (variable, *BUNDLES[variable]):
        if before.get(name):
            return _named(name, before)
    return (*roots, *_named(FOLDER, before))


def _named(variable: str, before: Mapping[str, str]) -> Certificates:
    """Return the certificates in the file or the folder that a variable names, in several only for FOLDER."""
    value = before.get(variable, "")
    if variable == FOLDER:  # OpenSSL passes over folders that are not there
        return tuple(pem for place in value.split(":") if Path(place).is_dir() for pem in _read(Path(place)))
    try:
        return _read(Path(value)) if value else ()
    except OSError as error:
        raise BadSetting(f"{variable} names {value}, which cannot be read: {error.strerror}.") from error


def _read(path: Path) -> Certificates:
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    return tuple(pem for file in files for pem in _CERTIFICATE.findall(file.read_bytes()))


def _joined(certificates: Iterable[bytes]) -> bytes:
    return b"".join(pem.strip() + b"\n" for pem in distinct(certificates))


def distinct(certificates: Iterable[bytes]) -> Certificates:
    """Return certificates in their order, each once, however their lines are broken."""
    return tuple({b"".join(pem.split()): pem for pem in certificates}.values())
