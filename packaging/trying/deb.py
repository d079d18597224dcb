"""A life of the Debian package in a root of its own: installed, set up, upgraded beside a wait, removed and purged.

`scripts/try-deb` runs it, in namespaces without a network. Each step says what was seen; the first that is not as it
should be ends it. systemd does not run there: systemctl.py stands in for it, and nothing for udev.
"""

import contextlib
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path

from smscatch import Client
from smscatch.simulator import tell

URL = "http://127.0.0.1:7672"
NUMBER = "+447700900123"
DATA = "var/lib/smscatch"
# Of a package that was purged, dpkg, apt, debconf and systemd keep a record of their own.
RECORDS = re.compile(
    r"(var/(log|cache|lib/(apt|dpkg|systemd/deb-systemd-helper-\w+))|run|proc|dev|tmp)(/|$)"
    r"|etc/(passwd|group|shadow|gshadow)-?$|etc/(\.pwd\.lock|subuid|subgid)-?$"
)


class Root:
    """A Debian root, in which commands are run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *command: str) -> str:
        """Run a command in it and return what it prints. Ends all if it fails."""
        environ = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            ["chroot", str(self.path), *command], env=environ, text=True, stdout=-1, stderr=-2, stdin=-3, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout

    def install(self, package: Path) -> None:
        """Have apt install a package of the machine, with what it needs, which is there."""
        shutil.copy(package, self.path / "tmp" / package.name)
        self.run("apt-get", "install", "--yes", "--no-install-recommends", f"/tmp/{package.name}")

    def files(self) -> set[str]:
        """Return all paths in it but those where others keep their records."""
        paths = subprocess.run(
            ["find", ".", "-xdev", "-printf", "%P\n"], cwd=self.path, capture_output=True, text=True, check=True
        )
        return {path for path in paths.stdout.splitlines() if not RECORDS.match(path)}

    def read(self, path: str) -> str:
        """Return what a file of it holds."""
        return (self.path / path).read_text()


def main(root: Root, package: Path) -> None:
    """Go through all steps."""
    prepare(root)
    before = root.files()
    root.install(package)
    key = root.read("etc/smscatch/admin.key").strip()
    check("the service serves once it is installed", fetch("/healthz") != "")
    check("its settings and key are for its group alone", modes(root) == {(0o640, "smscatch")})
    check("the user may open serial ports", "dialout" in root.run("id", "-Gn", "smscatch").split())
    with modem(root) as control:
        set_up(root)
        tell(control, "deliver", sender="Authy", text="Your code is 482913")
        check("a text from the modem is on the page", wait_for(lambda: "482913" in page(key)))
        upgrade(root, package, key, control)
        check("what came before is there still", "482913" in page(key))
        root.run("apt-get", "remove", "--yes", "smscatch")
    left = root.files() - before
    check("removed, it serves no more", fetch("/healthz") == "")
    check("removed, it leaves settings and messages", {f"{DATA}/smscatch.db", "etc/smscatch/smscatch.toml"} <= left)
    root.run("apt-get", "purge", "--yes", "smscatch")
    left = {path for path in root.files() - before if not (path + "/").startswith(f"{DATA}/")}
    check(f"purged, it leaves its messages alone {sorted(left) or ''}", not left)
    root.install(package)
    check("installed again, the messages are there", "482913" in page(root.read("etc/smscatch/admin.key").strip()))
    root.run("sh", "-c", "echo smscatch smscatch/purge_messages boolean true | debconf-set-selections")
    root.run("apt-get", "purge", "--yes", "smscatch")
    left = root.files() - before
    check(f"purged with its messages, it leaves nothing {sorted(left) or ''}", not left)
    check("and no user", "smscatch" not in root.read("etc/passwd") + root.read("etc/group"))


def prepare(root: Root) -> None:
    """Give a root what a machine has: processes, terminals, a loopback, and what stands in for systemd and udev."""
    for kind, folder, options in (("proc", "proc", ""), ("devpts", "dev/pts", "newinstance,ptmxmode=0666")):
        mount = ["mount", "-t", kind, *(["-o", options] if options else []), kind, str(root.path / folder)]
        subprocess.run(mount, check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    programs = root.path / "usr/bin"
    for name, program in (
        ("systemctl", Path(__file__).with_name("systemctl.py").read_text()),
        ("udevadm", "#!/bin/sh\n"),
    ):
        (programs / name).write_text(program)
    (root.path / "run/systemd/system").mkdir(parents=True, exist_ok=True)


def set_up(root: Root) -> None:
    """Have `smscatch setup` find the modem."""
    told = root.run("smscatch", "setup", "--yes", "--device", "/tmp/ttyUSB0")
    check("setup finds the modem and its number", f'+[lines."{NUMBER}"]' in told)
    own = root.path / "etc/systemd/system/smscatch.service"
    check("setup writes no service beside the package's", not own.exists())


def upgrade(root: Root, package: Path, key: str, control: Path) -> None:
    """Install a newer package while a client waits and a text comes."""
    codes: list[str] = []

    def wait() -> None:
        with Client(URL, key) as client:
            codes.append(client.wait_for_code(line=NUMBER, timeout=300))

    waiting = threading.Thread(target=wait)
    waiting.start()
    process = root.read("run/smscatch.pid")
    newer = newer_package(package)
    root.install(newer)
    tell(control, "deliver", sender="Authy", text="Your code is 775511")
    waiting.join()
    check("a wait goes on over an upgrade", codes == ["775511"])
    check("the upgrade started another process", root.read("run/smscatch.pid") != process)
    check("the newer version is there", "99-1" in root.run("dpkg-query", "--show", "smscatch"))


def newer_package(package: Path) -> Path:
    """Return the same package with a higher version."""
    folder = package.with_name("newer")
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(folder)], check=True)
    control = folder / "DEBIAN/control"
    control.write_text(re.sub("^Version: .*$", "Version: 99-1", control.read_text(), flags=re.MULTILINE))
    newer = package.with_name("smscatch_99.deb")
    subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", str(folder), str(newer)], check=True)
    return newer


@contextlib.contextmanager
def modem(root: Root) -> Iterator[Path]:
    """Run a simulated modem in the root, at /tmp/ttyUSB0, and yield where it takes orders."""
    control = root.path / "tmp/control"
    command = ["/usr/lib/smscatch/bin/python3", "-m", "smscatch.simulator", "--number", NUMBER]
    command += ["--device", "/tmp/ttyUSB0", "--control", "/tmp/control"]
    with subprocess.Popen(["chroot", str(root.path), *command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        # As udev does with serial ports.
        root.run("chgrp", "--dereference", "dialout", "/tmp/ttyUSB0")
        root.run("chmod", "660", "/tmp/ttyUSB0")
        yield control
        process.terminate()


def modes(root: Root) -> set[tuple[int, str]]:
    """Return the modes and groups of the files with secrets."""
    told = root.run("stat", "--format=%a %G", "/etc/smscatch/admin.key", "/etc/smscatch/smscatch.toml")
    return {(int(mode, 8), group) for mode, group in (line.split() for line in told.splitlines())}


def fetch(path: str) -> str:
    """Return what the server answers, empty if none is there."""
    try:
        with urllib.request.urlopen(URL + path, timeout=30) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def page(key: str) -> str:
    """Return the live page as somebody sees it who signs in with a key."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    form = urllib.parse.urlencode({"key": key, "next": "/"}).encode()
    request = urllib.request.Request(f"{URL}/login", form, {"Origin": URL})
    with browser.open(request, timeout=30) as answer:
        return str(answer.read().decode())


def wait_for(is_so: Callable[[], bool]) -> bool:
    """Return whether something is so in the end."""
    for _ in range(300):
        if is_so():
            return True
        time.sleep(0.2)
    return False


def check(sentence: str, is_so: bool) -> None:
    """Say that something is so, or end all."""
    if not is_so:
        sys.exit(f"✗ {sentence}")
    sys.stdout.write(f"✓ {sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Root(Path(sys.argv[1])), Path(sys.argv[2]))
