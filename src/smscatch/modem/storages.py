"""The storages of a modem: how one is chosen, what it holds, and what to do where a modem does not list it.

Taking texts out of them is in taking.py, what the answers say in listing.py. Source: 3GPP TS 27.005, 3.2 and 4.
"""

import logging
import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from smscatch.modem.at import MAX_MUTES, Conversation
from smscatch.modem.listing import ListedText, Listing, find_shown, parse_listing
from smscatch.modem.said import find_value, split_values
from smscatch.modem.sim import trouble_of_refusal
from smscatch.modem.trouble import NoAnswer, Refused, Silent

LIST_SECONDS = 8.0
# The SIM's memory first: it goes where the SIM goes. MT is both together, for modems that offer nothing else.
STORAGES = ("SM", "ME")
RECEIVING = ("SM", "ME", "MT")
# +CPMS=<read>[,<write>[,<receive>]]: some modems take it in one of these forms only.
_FORMS = ('"{0}","{0}","{1}"', '"{0}"', '"{0}","{0}"', '"{0}","{0}","{0}"')
# How many slots are looked into where the modem does not tell how many there are.
_UNKNOWN_SIZE = 30
_BAD_INDEX = 321  # <err> of +CMS ERROR: the slot is empty (3.2.5)

log = logging.getLogger(__name__)


class Storages(NamedTuple):
    """The storages that can be read, and what each belongs to: the SIM's IMSI or the modem's IMEI.

    `chosen` is the one that +CPMS chose, in `form`, which is empty where it cannot choose any; `receiving` is where new
    texts go; `size` is how many slots that has, None if unknown.
    """

    cards: dict[str, str]
    chosen: str
    form: str
    receiving: str
    size: int | None

    def command(self, storage: str) -> str:
        """Return what chooses a storage, in the form that this modem takes."""
        return f"AT+CPMS={self.form.format(storage, self.receiving)}"


NOWHERE = Storages({}, "", _FORMS[0], "", 0)


class Fill(NamedTuple):
    """How many of a storage's slots are used, and how many there are."""

    used: int
    size: int


async def select_storages(talk: Conversation, owners: Mapping[str, str]) -> Storages:
    """Choose where texts go and are read, in the first form that works.

    Raises Refused or SimTrouble if there is none.
    """
    offered = _offered(find_value(await talk.try_asking("AT+CPMS=?"), "+CPMS") or '("SM")')
    readable = [name for name in STORAGES if name in offered[0]] or ["MT"]
    receiving = next((name for name in RECEIVING if name in offered[-1]), readable[0])
    first = receiving if receiving in readable else readable[0]
    refusal: Refused | None = None
    for name in dict.fromkeys((first, *readable, *RECEIVING)):
        for form in _FORMS:
            found = Storages({}, name, form, receiving, None)
            try:
                lines = await talk.ask(found.command(name))
            except Refused as error:
                if trouble := trouble_of_refusal(error):
                    raise trouble from error
                refusal = refusal or error
            else:
                cards = {each: owners[each] for each in dict.fromkeys((name, *readable))}
                return found._replace(cards=cards, size=_last_size(lines))
    if await _is_storage(talk):  # there is one, and nothing to choose
        return Storages({"SM": owners["SM"]}, "SM", "", "SM", None)
    raise refusal or Refused("AT+CPMS", "ERROR")


async def _is_storage(talk: Conversation) -> bool:
    """Whether texts can be read though no storage can be chosen."""
    if await talk.ask_known("AT+CMGL=4", LIST_SECONDS) is not None:
        return True
    try:
        await talk.ask("AT+CMGR=1")
    except Refused as refusal:
        return refusal.number == _BAD_INDEX
    return True


def _offered(value: str) -> list[list[str]]:
    """Return the storages for reading, for sending and for receiving, as far as they are told (3.2.2)."""
    groups = re.findall(r"\(([^()]*)\)", value) or [value]
    return [re.findall(r"\w+", group) for group in groups]


def _last_size(lines: list[str]) -> int | None:
    values = split_values(find_value(lines, "+CPMS"))
    return int(values[-1]) if values and values[-1].isdecimal() else None


def find_fill(lines: list[str] | None, storage: str) -> Fill | None:
    """Return how full a storage is by an answer to +CPMS? or +CPMS=, which chose it for reading; None if untold."""
    values = split_values(find_value(lines, "+CPMS"))
    used, size = ([value for value in values if value != storage] + ["", ""])[:2]
    return Fill(int(used), int(size)) if used.isdecimal() and size.isdecimal() else None


class StorageReader:
    """Lists and reads the slots of one modem after another.

    `complaints` say by storage what of it cannot be read, as sentences; `own` counts by storage the drafts and sent
    texts, `fills` tells how full each was.
    """

    def __init__(self) -> None:
        self.complaints: dict[str, str] = {}
        self.own: dict[str, int] = {}
        self.fills: dict[str, Fill] = {}
        self._storages = NOWHERE
        self._chosen = ""
        # What +CPMS counts but +CMGL does not show, though it was looked for: bad records and our own texts.
        self._unlisted: dict[str, int] = {}

    def begin(self, storages: Storages) -> None:
        """Take note that a conversation began in which +CPMS chose one of `storages`."""
        if storages != self._storages:
            self.complaints.clear()
            self._unlisted.clear()
        self._storages, self._chosen = storages, storages.chosen

    @property
    def names(self) -> list[str]:
        """The storages that can be read, the receiving one first."""
        return list(self._storages.cards)

    def full_of_own(self) -> str | None:
        """Return the storage for new texts if nothing but drafts and sent texts fills it, otherwise None."""
        name = self._storages.receiving
        fill = self.fills.get(name)
        return name if fill and 0 < fill.size <= fill.used <= self.own.get(name, 0) else None

    async def list_texts(self, talk: Conversation, storage: str) -> Listing:
        """Return what a storage holds, by +CMGL and, where that does not tell all, by index.

        Raises as Conversation.ask does; Refused if the storage cannot be chosen.
        """
        # Before the listing, or a text that comes between the two would seem not to be listed.
        fill = await self._ask_fill(talk, storage)
        lines, is_ended = await self._ask_list(talk)
        listing = parse_listing(lines)
        self._count(storage, listing, fill)
        if is_ended and (fill is None or fill.used <= len(listing.readings)):
            self.complaints.pop(storage, None)
            return listing
        if self._hidden(storage, listing, fill):
            return await self._read_singly(talk, storage, listing, fill)
        return listing._replace(is_clean=False)

    async def _ask_fill(self, talk: Conversation, storage: str) -> Fill | None:
        """Choose a storage; return how full it is, None if the modem does not tell."""
        if storage == self._chosen:
            lines = await talk.try_asking("AT+CPMS?")
            if lines is not None:
                return find_fill(lines, storage)
            self._chosen = ""  # choosing it tells the same
        return find_fill(await self._choose(talk, storage), storage)

    async def _ask_list(self, talk: Conversation) -> tuple[list[str], bool]:
        """Return the lines of +CMGL=4, and whether the modem says that these are all."""
        if talk.mutes.get("AT+CMGL=4", 0) >= MAX_MUTES:
            return [], False
        try:
            return await talk.ask("AT+CMGL=4", LIST_SECONDS), True
        except Refused as refusal:
            log.debug("%s", refusal)
            return refusal.lines, False
        except NoAnswer as silence:
            if isinstance(silence, Silent) or not (silence.lines or talk.note_mute("AT+CMGL=4") >= MAX_MUTES):
                raise
            return silence.lines, False

    def _count(self, storage: str, listing: Listing, fill: Fill | None) -> None:
        self.own[storage] = sum(not each.is_received for each in listing.readings)
        if fill:
            self.fills[storage] = fill

    def _hidden(self, storage: str, listing: Listing, fill: Fill | None) -> int:
        """Return how many texts the storage may hold beside those that are listed."""
        if fill is None:
            return _UNKNOWN_SIZE
        return max(0, fill.used - len(listing.readings) - self._unlisted.get(storage, 0))

    async def _read_singly(self, talk: Conversation, storage: str, listing: Listing, fill: Fill | None) -> Listing:
        """Return a listing with what the slots hold beside it, and which of them are empty for certain."""
        listed = {each.place for each in listing.readings}
        found: list[ListedText] = []
        refused: dict[int, str] = {}
        empty: set[int] = set()
        missing = fill.used - len(listed) if fill else _UNKNOWN_SIZE
        for place in range((fill.size if fill else _UNKNOWN_SIZE) + 1):  # some count from 0, some from 1
            if place in listed or len(found) >= missing:
                continue
            try:
                text = await self._show(talk, place)
            except (Refused, NoAnswer) as trouble:
                if isinstance(trouble, Silent):
                    raise
                refused[place] = trouble.result if isinstance(trouble, Refused) else "no answer"
                continue
            if text is None:
                empty.add(place)
            else:
                found.append(text)
                talk.pace.reward()
        bad = max(0, missing - len(found)) if fill else 0
        self._unlisted[storage] = bad + sum(not each.is_received for each in found)
        self.own[storage] += sum(not each.is_received for each in found)
        self._complain(storage, refused, bad, max(listed, default=-1))
        return Listing([*listing.readings, *found], is_clean=False, empty=frozenset(empty))

    def _complain(self, storage: str, refused: dict[int, str], bad: int, last_listed: int) -> None:
        """Say which slots cannot be read, as far as one can tell them from empty ones."""
        if not bad:
            self.complaints.pop(storage, None)
            return
        usual = Counter(refused.values()).most_common(1)[0][0] if refused else ""
        places = [place for place, result in refused.items() if result != usual]
        if len(refused) <= bad:
            places = list(refused)
        elif not places:  # +CMGL went as far as the bad one
            places = [place for place in refused if place > last_listed][:bad]
        names = " and ".join(map(str, places[:5])) or "one"
        self.complaints[storage] = (
            f"{bad} of the texts in {storage} cannot be read (slot {names}): the modem refuses it, the others are"
            f" delivered. Delete it in a phone, or with AT+CMGD={places[0] if places else 0}."
        )

    async def read(self, talk: Conversation, storage: str, place: int) -> ListedText | None:
        """Return what a slot holds, None if it is empty or cannot be read."""
        await self._choose(talk, storage)
        try:
            return await self._show(talk, place)
        except Refused:
            return None

    async def _show(self, talk: Conversation, place: int) -> ListedText | None:
        """Return what a slot holds, None if it is empty. Raises Refused if it cannot be read."""
        try:
            return find_shown(await talk.ask(f"AT+CMGR={place}"), place)
        except Refused as refusal:
            if refusal.number == _BAD_INDEX:
                return None
            raise

    async def _choose(self, talk: Conversation, storage: str) -> list[str]:
        """Have a storage chosen; return what the modem says to that, nothing if it was."""
        if storage == self._chosen or not self._storages.form:
            return []
        self._chosen = ""
        lines = await talk.ask(self._storages.command(storage))
        self._chosen = storage
        return lines
