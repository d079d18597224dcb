"""The environment in which a program is caught, as a function of the one it would have had. It changes nothing else.

What each variable does in which client was run; docs/catching.md has the table.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from smscatch.catching.accepting import LOOPBACK
from smscatch.catching.credentials import with_key
from smscatch.catching.java import OPTIONS
from smscatch.catching.trust import BUNDLES, NODE
from smscatch.providers import is_near_provider

LOCAL = ("localhost", "127.0.0.1", "::1")
# Clients read either spelling. Those for plain HTTP are ours only where they are set: some clients use them for https.
HTTPS_PROXIES = ("HTTPS_PROXY", "https_proxy")
OTHER_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
NO_PROXIES = ("NO_PROXY", "no_proxy")


class Surroundings(NamedTuple):
    """What a caught program is led to: the proxy's port, the server with its key, and the folder of this run.

    `keeps_aws`: it has its own keys for Amazon's services. In the folder are the bundles, by the names of their
    variables, `java.p12`, and what is loaded into programs.
    """

    folder: Path
    proxy_port: int
    server: str
    key: str
    keeps_aws: bool = False

    @property
    def proxy(self) -> str:
        """The proxy's address."""
        return f"http://{LOOPBACK}:{self.proxy_port}"


def caught_environment(before: Mapping[str, str], around: Surroundings) -> dict[str, str]:
    """Return the environment of a program that is caught, whose environment would be `before`."""
    return {
        **before,
        **_proxies(before, around),
        **{variable: str(around.folder / variable) for variable in (*BUNDLES, NODE)},
        **_loading(before, around),
        **_java(before, around),
        **with_key(before, around.key, keeps_aws=around.keeps_aws),
        "SMSCATCH_URL": around.server,
        "SMSCATCH_KEY": around.key,
    }


def proxies_before(before: Mapping[str, str]) -> tuple[str | None, str | None, str]:
    """Return the proxies that were set for https and for http, and which hosts go around them."""
    every = before.get("all_proxy") or before.get("ALL_PROXY")
    secure = before.get("https_proxy") or before.get("HTTPS_PROXY") or every
    plain = before.get("http_proxy") or before.get("HTTP_PROXY") or every
    return secure or None, plain or None, _no_proxy(before)


def _no_proxy(before: Mapping[str, str]) -> str:
    return before.get("no_proxy") or before.get("NO_PROXY") or ""


def _proxies(before: Mapping[str, str], around: Surroundings) -> dict[str, str]:
    kept = [entry for entry in re.split(r"[,\s]+", _no_proxy(before)) if entry and not is_near_provider(entry)]
    direct = ",".join(dict.fromkeys((*LOCAL, *kept)))
    names = (*HTTPS_PROXIES, *(name for name in OTHER_PROXIES if before.get(name)))
    return dict.fromkeys(names, around.proxy) | dict.fromkeys(NO_PROXIES, direct)


def _loading(before: Mapping[str, str], around: Surroundings) -> dict[str, str]:
    """Return the variables that have Python, Node, Ruby and PHP load a file of ours, behind all they load already."""
    loaded = around.folder / "preload"
    return {
        "PYTHONPATH": _joined(":", str(loaded / "python"), before.get("PYTHONPATH")),
        "NODE_OPTIONS": _joined(" ", before.get("NODE_OPTIONS"), f'--require="{loaded / "node.cjs"}"'),
        "NODE_USE_ENV_PROXY": "1",  # Node 22 and later; --use-env-proxy would stop Node 20 from starting
        "RUBYOPT": _joined(" ", before.get("RUBYOPT"), f"-r{loaded / 'ruby.rb'}"),
        # An empty place is that of PHP's own files: without it, its extensions would be gone.
        "PHP_INI_SCAN_DIR": f"{before.get('PHP_INI_SCAN_DIR', '')}:{loaded / 'php'}",
    }


def _java(before: Mapping[str, str], around: Surroundings) -> dict[str, str]:
    """Return the options of Java; the later variable goes before the other where both are set."""
    options = (
        f"-Dhttps.proxyHost={LOOPBACK} -Dhttps.proxyPort={around.proxy_port}"
        f" -Djavax.net.ssl.trustStore={around.folder / 'java.p12'} -Djavax.net.ssl.trustStoreType=PKCS12"
        " -Djavax.net.ssl.trustStorePassword="  # none, also where there was one
    )
    names = (OPTIONS[0], *(name for name in OPTIONS[1:] if before.get(name)))
    return {name: _joined(" ", before.get(name), options) for name in names}


def _joined(separator: str, *parts: str | None) -> str:
    return separator.join(part for part in parts if part)
