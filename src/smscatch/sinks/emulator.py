"""The kind `emulator`: each text is typed into an Android emulator by `adb emu`, so that the apps on it receive an SMS.

Source: the emulator's console (AOSP platform/external/qemu, android/console.cpp: do_sms_send, do_sms_sendpdu;
android/telephony/sms.c: sms_utf8_from_message_str, sms_address_from_str) and adb (packages/modules/adb,
client/console.cpp): it joins its arguments with blanks to one line, and succeeds also where the console refuses that.
"""

import asyncio
import contextlib
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence

from smscatch.errors import BadRequest
from smscatch.fiction import POOL_NUMBER
from smscatch.messages import KEPT_BACK, Message, Stored
from smscatch.pdu import encode_deliver
from smscatch.pdu.fields import write_address
from smscatch.settings import SinkSettings
from smscatch.sinks.base import GONE, PASSING, PERMANENT, TAKEN, Result, Send

TIMEOUT_SECONDS = 10.0
LONGEST_LINE = 4000  # characters: the console forgets the beginning of one of 4,096
MAX_REASON = 150
# A number; or a name, which older emulators refuse. It ends at the first blank.
_TYPED_SENDER = re.compile(r"\+?[0-9]{1,20}|[A-Za-z0-9-]{1,11}")
_PLAIN = re.compile(r"[ -\[\]-~]")  # ASCII without control characters and the backslash
_SAID = re.compile(r"(?:KO|error|adb(?:\.exe)?): ?.+", re.MULTILINE)
# What adb and the console say, and what to do then.
REMEDIES = (  # in lower case
    ("more than one", "set `serial` to one of those that `adb devices` lists"),
    ("authentication", "let smscatch run as the user whose .emulator_console_auth_token the emulator reads"),
    ("no emulator", "start the emulator on the machine that smscatch runs on"),
    ("could not connect", "start the emulator on the machine that smscatch runs on"),
    ("not found", "start the emulator on the machine that smscatch runs on"),
)
FOR_GOOD = ("bad phone number", "badly formatted")


def make_send(settings: SinkSettings) -> Send:
    """Return what types a message into the emulator that is set, one at a time and in order."""
    adb = (settings.adb, *(("-s", settings.serial) if settings.serial else ()), "emu")
    one_at_a_time = asyncio.Lock()

    async def send(stored: Stored) -> Result:
        message = stored.message
        if KEPT_BACK & {*message.marks}:
            return Result(GONE, "the weather kept it from arriving")
        try:
            commands = console_commands(message)
        except BadRequest as error:
            return Result(PERMANENT, f"no SMS can be made of it: {error}"[:MAX_REASON])
        async with one_at_a_time:
            for command in commands:
                result = await _run((*adb, *command))
                if result.verdict != TAKEN:
                    return result
        return Result(TAKEN)

    return send


def console_commands(message: Message) -> list[tuple[str, ...]]:
    """Return the console's commands that make a message arrive: `sms send`, where that can say it.

    What it cannot is an empty text, a very long one, and a sender with a blank or another character that it refuses:
    then it is one `sms pdu` for each part. Raises BadRequest for more than 255 parts.
    """
    sender, text = _sender_of(message), escape(message.text)
    if text and len(text) <= LONGEST_LINE and _TYPED_SENDER.fullmatch(sender):
        return [("sms", "send", sender, text)]
    sent_at = message.sent_at or message.received_at
    # Of two long texts from one sender, the parts must not be taken for those of the other.
    pdus = encode_deliver(sender, message.text, sent_at, reference=int(message.id[:2], 16))
    return [("sms", "pdu", pdu) for pdu in pdus]


def _sender_of(message: Message) -> str:
    """Return the sender, or a number in its place: no SMS names a messaging service (3GPP TS 23.040, 9.1.2.5)."""
    try:
        write_address(message.sender)
    except BadRequest:
        return POOL_NUMBER
    return message.sender


def escape(text: str) -> str:
    r"""Return a text as the console takes it, on one line of ASCII: \n, \\, \xNN and \uNNNN, one for each UTF-16 unit.

    It keeps quotes as they are, since no shell is in between, misreads UTF-8, and reads one line at a time.
    """
    return "".join(each if _PLAIN.fullmatch(each) else _escape_one(each) for each in text)


def _escape_one(character: str) -> str:
    if character in "\n\\":
        return "\\n" if character == "\n" else "\\\\"
    if character.isascii():
        return f"\\x{ord(character):02x}"
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


async def _run(command: Sequence[str]) -> Result:
    """Run adb once, and judge what it says."""
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    except OSError as error:
        reason = error.strerror or "it cannot be run"
        return Result(PASSING, f"{command[0]}: {reason}; install Android's platform-tools, or set `adb` to its path")
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            said, complained = await process.communicate()
    except TimeoutError:
        return Result(PASSING, f"adb did not end within {TIMEOUT_SECONDS:g} s; is the emulator still alive?")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return judge(process.returncode or 0, (complained + b"\n" + said).decode(errors="replace"))


def judge(status: int, said: str) -> Result:
    """Return what adb's exit status and words mean: taken, refused for good, or to be tried again, and what to do."""
    found = _SAID.search(said)
    if status == 0 and (found is None or not found[0].startswith("KO")):
        return Result(TAKEN)
    words = found[0].strip().rstrip(".")[:MAX_REASON] if found else f"adb ended with the status {status}"
    if any(sign in words for sign in FOR_GOOD):
        return Result(PERMANENT, words)
    remedy = next((f"; {remedy}" for sign, remedy in REMEDIES if sign in said.lower()), "")
    return Result(PASSING, f"{words}{remedy}")
