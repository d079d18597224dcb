"""What can go wrong between us and an SMSC; each error knows which state of the bind it is. No handling here."""

from typing import ClassVar

from smscatch.errors import SmscatchError


class SmscTrouble(SmscatchError):
    """No texts come over this bind at present; trying again later is right."""

    status, code = 503, "smsc_trouble"
    state: ClassVar[str] = "away"


class SmscRefused(SmscTrouble):
    """The SMSC answers the bind with an error: trying again soon makes it worse."""

    state = "refused"


class SmscSilent(SmscTrouble):
    """The SMSC does not answer, or ended the connection."""

    state = "silent"
