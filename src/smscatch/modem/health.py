"""How a modem is, as its link knows it: published in the spool's folder, read by whoever serves or prints it.

The link may be another process than the reader; a file that makes no sense is passed over.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from smscatch.files import read_plain, replace
from smscatch.modem.journal import file_name

FOLDER = "health"
MAX_BYTES = 64 * 1024
# A link publishes every half minute at least; one that has not for this long has ended.
MAX_AGE = timedelta(seconds=120)


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How one modem is.

    `state` is one of STATES. `error` is the last trouble as a sentence, None while all is well. `signal_dbm` and
    `signal_percent` are None when unknown. `number` is what the SIM says of itself, `smsc` the number through which it
    sends, "" if it has none. Times are UTC; `last_contact_at` is when the modem last answered, `updated_at` when this
    was written.
    """

    line: str
    device: str
    state: str
    updated_at: datetime
    error: str | None = None
    last_contact_at: datetime | None = None
    signal_dbm: int | None = None
    signal_percent: int | None = None
    registration: str | None = None
    operator: str | None = None
    storage_used: int | None = None
    storage_size: int | None = None
    maker: str | None = None
    model: str | None = None
    firmware: str | None = None
    imei: str | None = None
    number: str | None = None
    smsc: str | None = None


STATES = {
    "starting": "the modem is being set up, or refuses something that this needs",
    "ready": "texts are read as they come",
    "not_registered": "the modem works, but has no network: no antenna, no contract, no coverage",
    "deaf": "a network has the modem, but it has no signal and no operator, and no text came since the start",
    "storage_full": "drafts and sent texts fill the storage, so that no text can come in",
    "no_sim": "there is no SIM in the modem, or it cannot be read",
    "pin_needed": "the SIM asks for a PIN, and none is configured or it is not safe to enter it",
    "pin_refused": "the configured PIN is wrong; it was entered once and will not be entered again",
    "puk": "the SIM is locked and asks for its PUK",
    "sim_busy": "the SIM is not ready yet",
    "sim_lock": "the modem is locked to another SIM",
    "first_sim_lock": "the modem is locked to the first SIM that was in it",
    "network_lock": "the modem is locked to another operator",
    "sim_unknown": "the modem says something of its SIM that is not known here",
    "not_running": "ModemManager does not run, or the system's D-Bus cannot be reached",
    "login_needed": "the web page of a HiLink stick wants a login, and none is configured or it is refused",
    "port_missing": "the device is not there",
    "port_busy": "another program, or another line, has the device",
    "no_access": "this user may not open the device, or it is no serial port",
    "silent": "the modem does not answer",
    "not_at": "something speaks at the port, but it does not listen to AT",
    "text_mode": "the modem shows texts in text mode alone, in which some of them would be lost",
    "spool_full": "the spool cannot be written; the texts wait on the SIM",
    "stopped": "the program that reads the modem has ended",
}

# In these texts come, or soon will. Not in `deaf`: a modem that merely has not received anything yet, but tells a
# signal or an operator, is `ready`. Not in `sim_busy`: a SIM with bad contacts stays so.
WORKING = ("ready", "starting")


def write_health(spool: Path, health: Health) -> None:
    """Publish how a modem is; a reader finds the old or the new record, never half of one. Raises OSError.

    Not durable: after a power cut it is out of date anyway.
    """
    folder = spool / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / f"{file_name(health.line)}.json", msgspec.json.encode(health), 0o666, is_durable=False)


def read_health(spool: Path, now: datetime | None = None) -> dict[str, Health]:
    """Return the health of every modem whose link publishes into `spool`, by line; the state of dead links is stopped.

    `now` is the present time, for tests.
    """
    found = {}
    for path in sorted((spool / FOLDER).glob("[!.]*.json")):
        try:
            health = msgspec.json.decode(read_plain(path, MAX_BYTES), type=Health)
            is_old = (now or datetime.now(UTC)) - health.updated_at > MAX_AGE
        except (OSError, ValueError, TypeError):  # removed meanwhile, no file or record of ours, a time without zone
            continue
        found[health.line] = msgspec.structs.replace(health, state="stopped") if is_old else health
    return found
