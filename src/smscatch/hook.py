"""gammu-smsd's RunOnReceive: copies what gammu says of a message into the spool, and returns when it is on disk.

Runs as `python3 -I -S -E hook.py --spool DIR`, without smscatch being installed. Parsing is for sources/gammu.py.
"""
# gammu-smsd ignores our exit status and deletes the message from the SIM once we return. So: never return before it is
# durable, never die of a signal that can be ignored, never print (gammu-smsd 1.42 may then wait for ever). Only modules
# that are built into the interpreter: importing json and socket would double the time for which gammu waits.

import _signal
import posix
import sys
import time

DEFAULT_SPOOL = b"/var/spool/smscatch"
RETRY_SECONDS = 1
WANTED = (b"SMS_", b"DECODED_", b"PHONE_ID")
UNBLOCKED = posix.O_CLOEXEC | posix.O_NONBLOCK | posix.O_NOFOLLOW  # never waits for a pipe, never leads elsewhere


def main() -> None:
    """Spool this message; return only when it is durable."""
    for number in (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGPIPE):
        _signal.signal(number, _signal.SIG_IGN)
    now = time.time_ns()
    spool, arguments = read_arguments(sys.argv[1:])
    body = encode_body(posix.environ, arguments, now)
    name = b"%020d-%s" % (now, posix.urandom(8).hex().encode())
    entry = b"smscatch/1 gammu %d\n" % len(body) + body
    while True:
        try:
            write_durably(spool, name, entry)
            break
        except Exception:  # whatever it is, a full disk or a missing folder: only the operator can end it
            time.sleep(RETRY_SECONDS)
    poke()


def read_arguments(argv: list[str]) -> tuple[bytes, list[str]]:
    """Return the spool's folder (--spool DIR, else SMSCATCH_SPOOL) and gammu's own arguments."""
    spool = posix.environ.get(b"SMSCATCH_SPOOL") or DEFAULT_SPOOL
    if len(argv) > 1 and argv[0] == "--spool":
        return encode(argv[1]), argv[2:]
    return spool, argv


def encode(argument: str) -> bytes:
    """Return the bytes that `argument` was on the command line."""
    return argument.encode(sys.getfilesystemencoding(), "surrogateescape")


def encode_body(environ: dict[bytes, bytes], arguments: list[str], now: int) -> bytes:
    """Return our own facts and gammu's variables, byte for byte, as NAME=VALUE records that end with NUL.

    Nothing else of the environment: it may hold secrets. Our own names are in lower case.
    """
    records = [b"time_ns=%d" % now, b"reader=" + gammu_process()]
    records += [b"argument=" + encode(argument) for argument in arguments]
    records += [name + b"=" + environ[name] for name in sorted(environ) if name.startswith(WANTED)]
    return b"".join(record + b"\0" for record in records)


def gammu_process() -> bytes:
    """Return which run of gammu-smsd started us: its process id and start time in clock ticks (proc(5), stat 22)."""
    parent = posix.getppid()
    try:
        descriptor = posix.open(b"/proc/%d/stat" % parent, posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            # The second field, the program's name, may hold blanks and brackets; the last ')' ends it.
            fields = posix.read(descriptor, 4096).rpartition(b")")[2].split()
        finally:
            posix.close(descriptor)
        return b"%d:%s" % (parent, fields[19])
    except (OSError, IndexError):
        return b"%d" % parent


def write_durably(spool: bytes, name: bytes, entry: bytes) -> None:
    """Put the entry into the spool so that a power cut cannot take it away. Raises OSError."""
    posix.chdir(spool)  # short relative names from here: a socket's path has 107 bytes at most
    temporary = b".tmp-" + name
    descriptor = posix.open(temporary, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | UNBLOCKED, 0o660)
    try:
        rest = entry
        while rest:
            rest = rest[posix.write(descriptor, rest) :]
        posix.fsync(descriptor)
    finally:
        posix.close(descriptor)
    posix.rename(temporary, name + b".sms")
    folder = posix.open(b".", posix.O_RDONLY | posix.O_CLOEXEC)
    try:
        posix.fsync(folder)
    finally:
        posix.close(folder)


def poke() -> None:
    """Tell a server that listens; with none, or with one that is frozen, go on at once."""
    try:
        import _socket  # noqa: PLC0415 - the message is safe already, so even this import may fail

        sender = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        # A frozen server's queue holds 10 datagrams; then a blocking send hangs, and gammu with it.
        sender.setblocking(False)
        sender.sendto(b"1", b"poke")
        sender.close()
    except Exception:  # noqa: S110 - the server also looks by itself
        pass


if __name__ == "__main__":
    main()
