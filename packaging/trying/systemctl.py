#!/usr/bin/python3
"""Stands in for systemctl where systemd does not run, as in a chroot: starts and stops the one service from its unit.

Its user, environment, folder and command are the unit's, and a start ends when the service says READY=1
(sd_notify(3)). What confines it is not put into force. All else that is asked for is answered with success.
"""

import os
import pwd
import shlex
import signal
import socket
import sys
import time
from pathlib import Path

UNITS = [Path("/etc/systemd/system/smscatch.service"), Path("/usr/lib/systemd/system/smscatch.service")]
PID = Path("/run/smscatch.pid")
HEARS = "/run/smscatch.notify"


def main(words: list[str]) -> int:
    """Do what is asked for and return the exit status."""
    verbs = {"start": start, "stop": stop, "restart": lambda: stop() or start(), "is-active": lambda: 0 if pid() else 3}
    verb = next((word for word in words if not word.startswith("-")), "")
    if verb == "is-enabled":
        sys.stdout.write("enabled\n")
    return verbs[verb]() if verb in verbs else 0


def start() -> int:
    """Run the service, and wait until it is ready."""
    if pid():
        return 0
    unit = next(path for path in UNITS if path.exists()).read_text()
    values = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))
    user = pwd.getpwnam(values["User"])
    folder = Path("/var/lib", values["StateDirectory"])
    folder.mkdir(mode=int(values["StateDirectoryMode"], 8), exist_ok=True)
    os.chown(folder, user.pw_uid, user.pw_gid)
    Path(HEARS).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(HEARS)
        os.chmod(HEARS, 0o666)
        environ = dict(word.split("=", 1) for word in shlex.split(values["Environment"]))
        child = os.fork()
        if child == 0:
            be(user, shlex.split(values["ExecStart"]), environ | {"NOTIFY_SOCKET": HEARS, "PATH": os.defpath})
        PID.write_text(str(child))
        heard.settimeout(120)
        while not heard.recv(4096).startswith(b"READY=1"):
            pass
    return 0


def be(user: pwd.struct_passwd, command: list[str], environ: dict[str, str]) -> None:
    """Become the service. Never returns."""
    os.setsid()
    log = os.open("/var/log/smscatch.try.log", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (0, 1, 2):
        os.dup2(log, descriptor)
    os.closerange(3, 1024)  # or debconf waits until the service closes what it talks by
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.chdir("/")
    os.execve(command[0], command, environ)


def stop() -> int:
    """End the service, and wait until it has ended."""
    process = pid()
    if process:
        os.kill(process, signal.SIGTERM)
        while pid():
            time.sleep(0.05)
    return 0


def pid() -> int:
    """Return the service's process, 0 if it does not run."""
    try:
        process = int(PID.read_text())
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return 0
    return 0 if state == "Z" else process


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
