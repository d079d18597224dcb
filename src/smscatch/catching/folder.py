"""The folder of one run: what programs are to trust, and what they load at their start."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from smscatch.catching.accepting import LOOPBACK
from smscatch.catching.java import java_store, trusted_by_java
from smscatch.catching.trust import bundles, default_roots
from smscatch.files import replace
from smscatch.providers import HOSTS_PATTERN

PRELOAD = Path(__file__).parent / "preload"


def fill_folder(
    folder: Path, before: Mapping[str, str], certificate: bytes, *, proxy_port: int, listener_port: int
) -> None:
    """Write all that `caught_environment` names into a folder, which is the user's alone.

    `certificate` is that of our CA. Raises BadSetting if a bundle or a trust store that `before` names cannot be read,
    or OSError.
    """
    roots = default_roots()
    for name, content in bundles(before, roots, certificate).items():
        replace(folder / name, content, is_durable=False)
    replace(folder / "java.p12", java_store(trusted_by_java(before, roots), certificate), is_durable=False)
    preload = folder / "preload"
    # From a folder whose name has no blanks: RUBYOPT cannot quote them.
    shutil.copytree(PRELOAD, preload, ignore=shutil.ignore_patterns("__pycache__"))
    trusted = folder / "SSL_CERT_FILE"
    where = (str(listener_port), HOSTS_PATTERN, str(trusted), f"{LOOPBACK}:{proxy_port}")
    replace(preload / "where", "".join(f"{line}\n" for line in where).encode(), is_durable=False)
    (preload / "php").mkdir()
    ini = {"curl.cainfo": trusted, "openssl.cafile": trusted, "auto_prepend_file": preload / "php.php"}
    written = "".join(f'{name} = "{path}"\n' for name, path in ini.items())
    replace(preload / "php" / "smscatch.ini", written.encode(), is_durable=False)
