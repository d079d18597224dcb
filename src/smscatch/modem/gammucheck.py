"""What is wrong with a configuration of gammu-smsd that is to hand its texts to our hook.

gammu-smsd deletes a text from the SIM whatever its program returns, also if there is no such program: so a wrong path
loses every text, and nothing says so. Only looking: nothing is changed, and no message is made.
"""

import configparser
import os
import pwd
import re
import shlex
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from smscatch import hook
from smscatch.errors import BadSetting

HOOK_SECONDS = 20
# `exec` keeps the shell from staying between; gammu-smsd runs the line with `sh -c`.
EXEC = "exec"
_UNSTABLE_NAME = re.compile(r"/dev/tty(USB|ACM)\d+")


class Finding(NamedTuple):
    """One thing in a configuration. `loses` is True if texts are lost or never come while it is so."""

    loses: bool
    sentence: str


class HookUser(NamedTuple):
    """The user as whom gammu-smsd runs: a number, and the groups that it is in."""

    uid: int
    groups: frozenset[int]

    def may(self, path: Path, permission: int) -> bool:
        """Return whether this user has a permission (os.R_OK, W_OK, X_OK) on `path`, by its mode bits alone."""
        if self.uid == 0:
            return True
        found = path.stat()
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.groups else 0
        return bool(found.st_mode >> shift & permission)

    def may_reach(self, path: Path) -> bool:
        """Return whether this user may go through every folder above `path`."""
        return all(self.may(folder, os.X_OK) for folder in path.absolute().parents)


def find_reader(name: str | None) -> HookUser:
    """Return a user by its name, by default the one we are. Raises BadSetting if there is none."""
    try:
        user = pwd.getpwuid(os.geteuid()) if name is None else pwd.getpwnam(name)
    except KeyError as error:
        raise BadSetting(f"There is no user {name!r} on this machine: name the one that gammu-smsd runs as.") from error
    return HookUser(user.pw_uid, frozenset(os.getgrouplist(user.pw_name, user.pw_gid)))


def check_gammurc(path: Path, *, spool: Path, reader: HookUser, line_of: Callable[[str], str | None]) -> list[Finding]:
    """Return what is wrong with the configuration `path`, the worst first; nothing if all texts will arrive.

    `spool` is the folder that the server drains, `line_of` gives the number that a PhoneID stands for. Raises
    BadSetting if the file cannot be read.
    """
    rc = _read(path)
    findings = [
        *_check_device(rc.get("gammu", {}), reader),
        *_check_service(rc.get("smsd", {})),
        *_check_command(rc.get("smsd", {}).get("runonreceive", ""), spool, reader),
        *_check_phone_id(rc.get("smsd", {}).get("phoneid", ""), line_of),
        *_check_habits(rc.get("gammu", {}), rc.get("smsd", {})),
    ]
    return sorted(findings, key=lambda finding: not finding.loses)


def _read(path: Path) -> dict[str, dict[str, str]]:
    """Return the sections. Source of the syntax: man gammurc."""
    parser = configparser.ConfigParser(
        interpolation=None, delimiters=("=",), comment_prefixes=("#", ";"), strict=False, default_section=""
    )
    try:
        parser.read_string(path.read_text("utf-8", errors="replace"))
    except OSError as error:
        raise BadSetting(f"{path} cannot be read: {error.strerror}.") from error
    except configparser.Error as error:
        raise BadSetting(f"{path} is no configuration of gammu-smsd: {error.message.splitlines()[0]}.") from error
    return {name.lower(): dict(parser[name]) for name in parser.sections()}


def _check_device(gammu: dict[str, str], reader: HookUser) -> Iterator[Finding]:
    device = gammu.get("device") or gammu.get("port")
    if not device:
        yield Finding(True, "[gammu] has no device: say which port the modem is at, as /dev/serial/by-id/….")
        return
    path = Path(device)
    if not path.exists():
        yield Finding(True, f"device = {device}: there is no such port. `ls /dev/serial/by-id/` shows those there are.")
    elif not stat.S_ISCHR(path.stat().st_mode):
        yield Finding(True, f"device = {device} is no serial port.")
    elif not (reader.may(path, os.R_OK) and reader.may(path, os.W_OK)):
        yield Finding(
            True,
            f"device = {device}: this user may not open it, but its group may: usermod -aG {path.group()} USER.",
        )
    if _UNSTABLE_NAME.fullmatch(device):
        yield Finding(False, f"device = {device} is another modem after a replug: name it by /dev/serial/by-id/….")


def _check_service(smsd: dict[str, str]) -> Iterator[Finding]:
    service = smsd.get("service", "")
    if service.lower() != "null":
        given = f"service = {service}" if service else "[smsd] has no service"
        yield Finding(
            True,
            f"{given}: it must be null. With any other, gammu-smsd keeps texts for itself, and with `files` whoever"
            " sends one can run programs here (gammu issue 1129).",
        )


def _check_command(command: str, spool: Path, reader: HookUser) -> Iterator[Finding]:
    """Look at the program that gammu-smsd runs for each text, and try it."""
    if not command:
        yield Finding(True, "[smsd] has no runonreceive: nothing hands texts to smscatch, and each is deleted.")
        return
    try:
        words = shlex.split(command)
    except ValueError as error:
        yield Finding(True, f"runonreceive = {command}: the shell cannot read it ({error}).")
        return
    if words[:1] == [EXEC]:
        words = words[1:]
    else:
        yield Finding(False, "runonreceive does not begin with `exec`: a shell stays between gammu-smsd and the hook.")
    files = [Path(word) for word in words if word.startswith("/") and not _is_spool(words, word)]
    if missing := [path for path in files if not path.exists()]:
        yield Finding(True, f"runonreceive names {missing[0]}, which does not exist.")
    elif hidden := [path for path in files if not (reader.may_reach(path) and reader.may(path, os.R_OK))]:
        yield Finding(True, f"runonreceive names {hidden[0]}, which this user may not read, or not reach.")
    elif not words or Path(hook.__file__).name not in command:
        yield Finding(True, f"runonreceive = {command} is not smscatch's hook; `smscatch gammurc` prints it.")
    else:
        yield from _check_spool(words, spool, reader)
        if "--spool" in words:  # else it would wait for whatever spool it takes for its own
            yield from _try_hook(words)


def _is_spool(words: Sequence[str], word: str) -> bool:
    return "--spool" in words and words[words.index("--spool") + 1 :][:1] == [word]


def _check_spool(words: Sequence[str], spool: Path, reader: HookUser) -> Iterator[Finding]:
    named = next((Path(word) for word in words if _is_spool(words, word)), None)
    if named is None:
        yield Finding(True, f"runonreceive has no --spool: texts go to a folder that no server drains. Give {spool}.")
    elif not named.is_dir():
        yield Finding(True, f"--spool {named} is no folder; the hook waits for it, and gammu-smsd with the hook.")
    elif not spool.exists() or not named.samefile(spool):
        yield Finding(True, f"--spool {named} is not the spool of this server, which is {spool}: its texts stay there.")
    elif not (reader.may(named, os.W_OK) and reader.may(named, os.X_OK) and reader.may_reach(named)):
        yield Finding(
            True,
            f"--spool {named}: this user may not write it. Run both programs as one user, or give the folder a common"
            f" group and `chmod 2770 {named}`.",
        )


def _try_hook(words: Sequence[str]) -> Iterator[Finding]:
    """Run the hook as gammu-smsd does, on a spool of its own, and see that a text arrives there."""
    with tempfile.TemporaryDirectory(prefix="smscatch-check-") as folder:
        command = [folder if _is_spool(words, word) else word for word in words]
        try:
            subprocess.run(command, env={"SMS_MESSAGES": "1"}, capture_output=True, timeout=HOOK_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            yield Finding(True, f"The program of runonreceive cannot be run: {error}.")
            return
        if not any(Path(folder).glob("*.sms")):
            yield Finding(True, "The program of runonreceive was run for a try, and put nothing into a spool.")


def _check_phone_id(phone_id: str, line_of: Callable[[str], str | None]) -> Iterator[Finding]:
    if not phone_id:
        yield Finding(False, "[smsd] has no phoneid: with several modems nobody can tell whose text it is.")
    elif line_of(phone_id) is None:
        yield Finding(
            False, f"phoneid = {phone_id} is no line's phone_id in smscatch.toml: its texts are shown under that name."
        )


def _check_habits(gammu: dict[str, str], smsd: dict[str, str]) -> Iterator[Finding]:
    """Tell what makes gammu-smsd slow, chatty or dangerous, though texts come."""
    if smsd.get("pin"):
        yield Finding(
            True, "[smsd] has a pin: gammu-smsd repeats a wrong one until the SIM asks for its PUK. Switch the PIN off."
        )
    if smsd.get("checksecurity", "1") == "0":
        yield Finding(False, "checksecurity = 0: gammu-smsd does not notice a modem that is gone. Set it to 1.")
    if _number(smsd, "debuglevel", 0) > 0:
        yield Finding(False, f"debuglevel = {smsd['debuglevel']} writes texts, and so codes, to the log. Set it to 0.")
    for name, default, best in (("receivefrequency", 15, 1), ("loopsleep", 1, 1), ("multiparttimeout", 600, 60)):
        if _number(smsd, name, default) > best:
            yield Finding(False, f"{name} is {_number(smsd, name, default)} s, so texts come late. Set it to {best}.")
    if gammu.get("synchronizetime", "no").lower() not in ("no", "false", "0"):
        yield Finding(False, "synchronizetime is on: one more command that can fail. Set it to no.")


def _number(smsd: dict[str, str], name: str, default: int) -> int:
    value = smsd.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() else default
