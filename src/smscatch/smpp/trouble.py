"""What can go wrong between us and an SMSC; each error knows which state of the bind it is. No handling here."""

from smscatch.errors import ReceptionTrouble


class SmscTrouble(ReceptionTrouble):
    """No texts come over this bind at present."""

    code, state = "smsc_trouble", "away"


class SmscRefused(SmscTrouble):
    """The SMSC answers the bind with an error: trying again soon makes it worse."""

    state = "refused"


class SmscSilent(SmscTrouble):
    """The SMSC does not answer, or ended the connection."""

    state = "silent"
