"""What Java trusts while it is caught: the roots that it had, and our CA, in a trust store of its own form.

Java reads no bundle of PEM, and a trust store that is named replaces its own: so what is in that is copied.
"""

import re
import shutil
import ssl
import struct
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12

from smscatch.catching.trust import Certificates, distinct
from smscatch.errors import BadSetting

# Later ones of a variable count, and the second variable before the first (https://docs.oracle.com/en/java/javase/17/
# docs/specs/man/java.html, "Using the JDK_JAVA_OPTIONS Launcher Environment Variable").
OPTIONS = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")
_STORE = re.compile(r"-Djavax\.net\.ssl\.trustStore=(\S+)")
_PASSWORD = re.compile(r"-Djavax\.net\.ssl\.trustStorePassword=(\S+)")
# Where a JDK has its roots, the first that is there, and with which password (JSSE Reference Guide, "trust store").
_OWN_STORES = ("lib/security/jssecacerts", "lib/security/cacerts", "jre/lib/security/cacerts")
_OWN_PASSWORD = "changeit"  # noqa: S105 - everybody's
_JKS = bytes.fromhex("feedfeed")
_TRUSTED = 2


def trusted_by_java(before: Mapping[str, str], roots: Certificates) -> Certificates:
    """Return what Java trusts in an environment: the store that its options name; else the JDK's, and `roots`.

    Raises BadSetting if the store that they name cannot be read.
    """
    options = " ".join(before.get(name, "") for name in OPTIONS)
    password = (_PASSWORD.findall(options) or [_OWN_PASSWORD])[-1]
    if named := _STORE.findall(options):
        try:
            return _read(Path(named[-1]), password)
        except (OSError, ValueError) as error:
            raise BadSetting(
                f"Java's trust store {named[-1]}, which its options name, cannot be read: {error}. Leave it out for"
                " this command, or name one in PKCS #12 or JKS with its password."
            ) from error
    try:
        return distinct((*roots, *(pem for path in _own_stores(before) for pem in _read(path, password))))
    except (OSError, ValueError):  # of a form that nobody asked for
        return roots


def java_store(trusted: Certificates, ours: bytes) -> bytes:
    """Return a trust store for Java: PKCS #12 without a password. Roots that are not as X.509 has them are left out."""
    found = []
    for pem in distinct((*trusted, ours)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of serial numbers that are not positive, in roots of 2000
            try:
                found.append(x509.load_pem_x509_certificate(pem))
            except ValueError:
                continue
    certificates = [pkcs12.PKCS12Certificate(one, str(place).encode()) for place, one in enumerate(found)]
    return pkcs12.serialize_java_truststore(certificates, NoEncryption())


def _own_stores(before: Mapping[str, str]) -> list[Path]:
    """Return where the JDKs that may be started have their roots: by JAVA_HOME, and on the PATH."""
    java = shutil.which("java", path=before.get("PATH"))
    homes = [Path(before["JAVA_HOME"])] if before.get("JAVA_HOME") else []
    homes += [Path(java).resolve().parent.parent] if java else []
    found = [[home / name for name in _OWN_STORES if (home / name).is_file()] for home in homes]
    return [paths[0] for paths in found if paths]


def _read(path: Path, password: str) -> Certificates:
    """Return the certificates of a trust store. Raises OSError, or ValueError for another form or password."""
    content = path.read_bytes()
    if content[:4] == _JKS:
        return tuple(ssl.DER_cert_to_PEM_cert(der).encode() for der in _read_jks(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        store = _open_pkcs12(content, password)
    return tuple(entry.certificate.public_bytes(Encoding.PEM) for entry in store.additional_certs)


def _open_pkcs12(content: bytes, password: str) -> pkcs12.PKCS12KeyAndCertificates:
    """Open a store with a password, or without: that of JDK 18 and later has none."""
    try:
        return pkcs12.load_pkcs12(content, password.encode())
    except ValueError:
        return pkcs12.load_pkcs12(content, None)


def _read_jks(content: bytes) -> Iterator[bytes]:
    """Yield the trusted certificates of a JKS, DER. Raises ValueError if it is cut short.

    Their form stands in the JDK's own sun.security.provider.JavaKeyStore, engineLoad: magic, version, count; then each
    entry with tag, alias, time, and, of a certificate, type and length. No password is needed to read them.
    """
    try:
        (count,) = struct.unpack_from(">I", content, 8)
        place = 12
        for _ in range(count):
            tag, alias_length = struct.unpack_from(">IH", content, place)
            if tag != _TRUSTED:  # a private key, which is not for others to be trusted
                raise ValueError("it holds more than certificates")
            place += 6 + alias_length + 8
            (type_length,) = struct.unpack_from(">H", content, place)
            (length,) = struct.unpack_from(">I", content, place + 2 + type_length)
            place += 6 + type_length + length
            if place > len(content):
                raise ValueError("it is cut short")
            yield content[place - length : place]
    except struct.error as error:
        raise ValueError("it is cut short") from error
