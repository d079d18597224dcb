"""Replies as the handset: a text from one of our lines to the application, told by its provider's inbound webhook.

The webhooks' forms are in webhooks/, their delivery in sinks/callbacks.py. No request here.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import msgspec

from smscatch.access import Access
from smscatch.committing import Committer
from smscatch.errors import BadDelivery, BadRequest, NoApplication
from smscatch.fiction import POOL_NUMBER
from smscatch.intake import parse_entry
from smscatch.messages import CAUGHT, MAX_NAME, Message, Query
from smscatch.numbers import is_e164
from smscatch.optouts import is_opted_out, is_same_sender
from smscatch.settings import ApplicationSettings, Settings
from smscatch.settings.forms import parse_http
from smscatch.sinks.callbacks import Callbacks
from smscatch.smpp.accounts import Accounts, HandsetText
from smscatch.sources.base import name_delivery
from smscatch.sources.caught import Callback, CaughtText, parse_caught
from smscatch.sources.reply import KIND, RepliedText, write_reply
from smscatch.spool import Entry, new_name
from smscatch.webhooks import FORMS, Inbound, InboundForm, find_form

LOOKED_AT = 100  # messages of a line, for the text that is replied to
MAX_TEXT = 1600  # characters: Twilio's documentation, "Messaging webhooks", Body
MAX_URL = 2000
MAX_SENDER_NAME = 11  # 3GPP TS 23.040, 9.1.2.5; what is longer is the id of a service
SMPP = "smpp"  # the provider of texts that came by SMPP
_SHORT_CODE = re.compile(r"[0-9]{3,8}")

ReplyName = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]


class ReplyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the handset with the number `line` replies to the application.

    It goes to whoever sent the newest text that was caught on that line, or to `to`, one of the application's numbers
    at `provider`. `url` is where the application takes it, if the settings do not say so. `id` is a name that the asker
    makes up: a repeat with it is a no-op.
    """

    line: ReplyName
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
    to: ReplyName | None = None
    provider: ReplyName | None = None
    url: Annotated[str, msgspec.Meta(max_length=MAX_URL)] | None = None
    id: ReplyName | None = None


class Replied(msgspec.Struct, frozen=True, kw_only=True):
    """A reply on its way to the application, by the id of its message; `url` is null if nobody knows where that is.

    `answers` is the id of the text that it replies to. `opted_out` says whether the line wants no texts from `to`
    afterwards. `public_key` checks the signature, if that is made with a private one.
    """

    id: str
    line: str
    to: str
    text: str
    provider: str
    answers: str | None
    url: str | None
    opted_out: bool
    public_key: str | None


class Outbox(NamedTuple):
    """What takes a reply away. `secret` is that of the key that asks, "" if it is not known.

    `accounts` are the applications that are bound by SMPP.
    """

    committer: Committer
    callbacks: Callbacks
    secret: str
    accounts: Accounts


class _Conversation(NamedTuple):
    """Between whom a reply goes: the text that it answers, if any, and as what that was sent.

    By SMPP there is no `form`: a reply is a deliver_sm.
    """

    line: str
    to: str
    provider: str
    form: InboundForm | None
    answered: Message | None
    sent: CaughtText | None

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the application told with the text."""
        return self.sent.facts if self.sent else {}


async def reply(access: Access, asked: ReplyRequest, outbox: Outbox) -> Replied:
    """Return a reply that is durable, and whose webhook is queued.

    Raises Forbidden for a line that another key has leased, NoApplication if nobody would be told of it, and
    BadRequest for what no handset could send.
    """
    line = access.house.settings.line_named(asked.line)
    access.check_line(line, doing="reply from")
    await _check_free(access, line)
    talk = await _find_conversation(access, line, asked)
    store = access.house.inbox.store
    if talk.form is None:
        return await _reply_by_smpp(access, asked, talk, outbox)
    made, public_key = _write(access, asked, talk, talk.form, secret=outbox.secret)
    await _keep(access, made, outbox)
    if made.callbacks:
        await outbox.callbacks.queue(made.id)
    return Replied(
        id=made.id,
        line=line,
        to=talk.to,
        text=made.text,
        provider=talk.provider,
        answers=made.answers,
        url=made.callbacks[0].url if made.callbacks else None,
        opted_out=await is_opted_out(store, line, talk.to, talk.form.keywords),
        public_key=public_key,
    )


async def _keep(access: Access, made: RepliedText, outbox: Outbox) -> None:
    entry = Entry(new_name(), KIND, write_reply(made))
    await outbox.committer.keep(parse_entry(entry, access.house.settings.line_of))


async def _reply_by_smpp(access: Access, asked: ReplyRequest, talk: _Conversation, outbox: Outbox) -> Replied:
    """Return a reply that is durable, and that the application has taken over one of its binds (deliver_sm)."""
    owner, system_id = (talk.sent.owner, str(talk.facts.get("system_id", ""))) if talk.sent else ("", "")
    account = outbox.accounts.find(owner, system_id)
    if account is None or not account.receivers:
        raise NoApplication(
            f"The application that sends from {talk.to} by SMPP is not bound as a receiver or transceiver, so it cannot"
            " be told of this reply."
        )
    text = HandsetText(talk.line, _number_of(talk.to, None), asked.text)
    made = _made(access, asked, talk)
    is_new = await access.house.inbox.store.get(made.id) is None
    await _keep(access, made, outbox)
    if is_new and not await outbox.accounts.reply(owner, system_id, text):
        raise NoApplication(f"The application with the system_id {system_id} did not take this reply, which is kept.")
    return Replied(
        id=made.id,
        line=talk.line,
        to=talk.to,
        text=made.text,
        provider=SMPP,
        answers=made.answers,
        url=f"{SMPP}://{system_id}",
        opted_out=False,
        public_key=None,
    )


async def _check_free(access: Access, line: str) -> None:
    """Raise Forbidden if the line is leased to another key: its replies would be taken for that one's."""
    now = await access.house.inbox.time()
    for lease in await access.house.leases.held((line,)):
        if lease.expires_at > now:
            access.check_own(lease)


async def _find_conversation(access: Access, line: str, asked: ReplyRequest) -> _Conversation:
    answered = await _find_answered(access, line, asked)
    settings = access.house.settings
    to = asked.to or (answered.sender if answered else "")
    if not to:
        raise BadRequest(
            f"No text was caught on its way to {line} yet, so there is nobody to reply to: name the application's"
            " number as `to`, and its provider.",
            parameter="to",
        )
    provider = asked.provider or (answered.provider if answered else None) or _provider_of(settings, to)
    form = find_form(provider or "")
    if provider is None or (form is None and provider != SMPP):
        known = (
            f"{provider!r} tells of replies in a form that is not known here" if provider else "`provider` is missing"
        )
        raise BadRequest(f"{known}; there are: {', '.join((*FORMS, SMPP))}.", parameter="provider")
    raw = await access.house.inbox.store.raw(answered.id) if answered else None
    return _Conversation(line, to, provider, form, answered, _sent_as(raw))


async def _find_answered(access: Access, line: str, asked: ReplyRequest) -> Message | None:
    """Return the newest text that was caught on its way to the line, from whom the reply is for."""
    for stored in await access.house.inbox.store.newest(Query(lines=(line,)), LOOKED_AT):
        message = stored.message
        is_wanted = asked.to is None or is_same_sender(asked.to, message.sender)
        if CAUGHT in message.marks and is_wanted and asked.provider in (None, message.provider):
            return message
    return None


def _sent_as(raw: bytes | None) -> CaughtText | None:
    try:
        return None if raw is None else parse_caught(raw)
    except BadDelivery:
        return None


def _provider_of(settings: Settings, to: str) -> str | None:
    """Return at which provider an application has a number, if that is certain."""
    found = {each.provider for each in settings.applications.values() if not each.numbers or _has(each, to)}
    return found.pop() if len(found) == 1 else None


def _has(application: ApplicationSettings, to: str) -> bool:
    return any(is_same_sender(number, to) for number in application.numbers)


def find_application(settings: Settings, provider: str, to: str) -> ApplicationSettings | None:
    """Return which application hears of texts to a number at a provider: one that names it goes before one for all."""
    ours = [each for each in settings.applications.values() if each.provider == provider]
    named = (each for each in ours if _has(each, to))
    return next(named, None) or next((each for each in ours if not each.numbers), None)


def _write(
    access: Access, asked: ReplyRequest, talk: _Conversation, form: InboundForm, *, secret: str
) -> tuple[RepliedText, str | None]:
    """Return a reply that is not kept yet, with its signed request, and the public key that checks it, if there is."""
    settings = access.house.settings
    application = find_application(settings, talk.provider, talk.to)
    url = _parse_url(asked.url) or (application.url if application else None)
    if url is None and form.keywords.wanted(asked.text) is None:
        raise NoApplication(
            f"Nobody would be told of this reply: where the application hears of texts to {talk.to} at {talk.provider}"
            " is not known. Give it as `url`, or set [applications.NAME] in smscatch.toml."
        )
    made = _made(access, asked, talk)
    if url is None:
        return made, None
    signed_with = (application.secret if application else None) or secret or settings.admin_key
    if not signed_with:
        raise BadRequest("What the webhook is signed with is not known: set `secret` in [applications.NAME].")
    number = _number_of(talk.to, application)
    account, service = str(talk.facts.get("account") or ""), _service_of(talk.facts)
    inbound = Inbound(made.id, talk.line, number, made.text, made.received_at, account, service)
    find_key = form.find_public_key
    callback: Callback = form.write(url, inbound, signed_with)
    return msgspec.structs.replace(made, callbacks=(callback,)), find_key(signed_with) if find_key else None


def _made(access: Access, asked: ReplyRequest, talk: _Conversation) -> RepliedText:
    name = new_name() if asked.id is None else name_delivery(f"key {access.owner}", talk.line, asked.id)
    return RepliedText(
        name=name,
        provider=talk.provider,
        line=talk.line,
        to=talk.to,
        text=asked.text,
        received_at=access.house.inbox.now(),
        answers=talk.answered.id if talk.answered else None,
    )


def _parse_url(url: str | None) -> str | None:
    try:
        return None if url is None else parse_http(url)
    except ValueError:
        raise BadRequest("url is not accepted: give an address with http or https.", parameter="url") from None


def _service_of(facts: Mapping[str, Any]) -> str:
    return str(facts.get("service") or facts.get("profile") or "")


def _number_of(to: str, application: ApplicationSettings | None) -> str:
    """Return the number that a reply goes to; that of a service is one of its application's. Raises BadRequest."""
    if is_e164(to) or _SHORT_CODE.fullmatch(to):
        return to
    if is_e164(f"+{to}"):
        return f"+{to}"
    if len(to) <= MAX_SENDER_NAME:
        raise BadRequest(f"{to!r} is a name, to which no handset can reply: give a number as `to`.", parameter="to")
    numbers = application.numbers if application else ()
    return next((number for number in numbers if is_e164(number)), POOL_NUMBER)
