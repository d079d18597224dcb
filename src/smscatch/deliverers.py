"""Who may deliver over HTTP: the sources of the settings, and those added while we ran, which the store has."""

import asyncio
import logging
import secrets
from typing import Annotated

import msgspec

from smscatch.errors import BadRequest, BadSetting, NotFound, SourceExists, StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.settings import Settings, SourceSettings
from smscatch.settings.sources import parse_source
from smscatch.sources import find_source, open_source, open_sources
from smscatch.sources.webhook import Provider, Webhook
from smscatch.stores.records import AddedSource

# For the store to say which there are, once we know some. Senders of webhooks give up after 5 s, some after 1 s.
PATIENCE_SECONDS = 0.1
MAX_SECRET = 500

log = logging.getLogger(__name__)

Name = Annotated[str, msgspec.Meta(pattern="^[a-z0-9_-]{1,40}$")]
Secret = Annotated[str, msgspec.Meta(max_length=MAX_SECRET)]


class NewSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source to be added, in the words of the settings' tables `[sources.NAME]`.

    Without a `secret` one is made, where the sender can be told it.
    """

    name: Name
    kind: str
    secret: Secret = ""
    public_url: str | None = None
    lines: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    signature: dict[str, str | dict[str, str]] = {}


class Deliverers:
    """The sources there are, by name. Those of the settings go before any that was added under the same name."""

    def __init__(self, settings: Settings, inbox: Inbox) -> None:
        """Open the sources of the settings. Raises BadSetting."""
        self._settings, self._inbox = settings, inbox
        self._configured = open_sources(settings)
        self._known: dict[str, AddedSource] = {}  # as the store last said
        self._asked: asyncio.Task[dict[str, AddedSource]] | None = None
        self._opened: dict[str, tuple[AddedSource, Provider]] = {}

    async def find(self, name: str) -> Provider | None:
        """Return a source; while the store is silent or away, one that was added as the store last had it.

        Raises StoreUnavailable if the store does not say whether there is one: its sender is to try again.
        """
        if name in self._configured:
            return self._configured[name]
        asked = self._question()
        if name in self._known:
            await asyncio.wait([asked], timeout=PATIENCE_SECONDS)
        is_silent = not asked.done() or isinstance(asked.exception(), StoreUnavailable)
        known = self._known.get(name) if is_silent else None
        added = known or (await asyncio.shield(asked)).get(name)
        return None if added is None else self._open(added)

    async def all(self) -> list[Provider]:
        """Return all sources, those of the settings first."""
        found = await asyncio.shield(self._question())
        added = [source for name, source in found.items() if name not in self._configured]
        opened = [self._open(source) for source in added]
        return [*self._configured.values(), *(provider for provider in opened if provider is not None)]

    def is_configured(self, name: str) -> bool:
        """Return whether a source stands in the settings, so that it cannot be changed from here."""
        return name in self._configured

    async def add(self, new: NewSource) -> tuple[Provider, str]:
        """Keep a source; return it with its secret, which is not shown again.

        Raises BadRequest for what its kind cannot work with, SourceExists if the name is taken.
        """
        secret = _choose_secret(new.kind, new.secret)
        given = msgspec.structs.asdict(new)
        values = {key: given[key] for key in ("kind", "public_url", "lines", "fields", "signature") if given[key]}
        table = self._parse(new.name, {**values, "secrets": [secret]})
        added = AddedSource(name=new.name, created_at=self._inbox.now(), **msgspec.structs.asdict(table))
        provider = self._try(added)
        if self.is_configured(new.name) or not await self._inbox.store.add_source(added):
            raise SourceExists(f"There is a source {new.name} already. Remove it first, or choose another name.")
        self._forget(new.name)
        return provider, secret

    async def add_secret(self, name: str, given: str = "") -> tuple[Provider, str]:
        """Give a source a new secret; return both. The one before stays good until `drop_old_secrets` (rotation)."""
        before = await self._find_added(name)
        secret = _choose_secret(before.kind, given)
        self._parse(name, {"kind": before.kind, "secrets": [secret]})
        return await self._change(before, (secret, before.secrets[0])), secret

    async def drop_old_secrets(self, name: str) -> Provider:
        """Have only the newest secret of a source be good."""
        before = await self._find_added(name)
        return await self._change(before, before.secrets[:1])

    async def remove(self, name: str) -> None:
        """Remove a source that was added: what it still sends is refused. Raises NotFound."""
        await self._find_added(name)
        await self._inbox.store.remove_source(name)
        self._forget(name)

    async def _find_added(self, name: str) -> AddedSource:
        if self.is_configured(name):
            raise BadRequest(f"The source {name} stands in {self._settings.config}: change it there, and restart.")
        added = (await asyncio.shield(self._question())).get(name)
        if added is None:
            raise NotFound(f"No source is called {name!r} here.")
        return added

    async def _change(self, before: AddedSource, found: tuple[str, ...]) -> Provider:
        after = msgspec.structs.replace(before, secrets=found)
        provider = self._try(after)
        is_changed = await self._inbox.store.change_source(before, after)
        self._forget(before.name)
        if not is_changed:
            raise NotFound(f"The source {before.name} was changed or removed just now. Look at it again.")
        return provider

    def _parse(self, name: str, values: dict[str, object]) -> SourceSettings:
        try:
            return parse_source(name, values, self._settings.country)
        except BadSetting as error:
            raise BadRequest(str(error)) from None

    def _try(self, added: AddedSource) -> Provider:
        try:
            return open_source(added.name, _table_of(added))
        except BadSetting as error:
            raise BadRequest(f"The source {added.name}: {error}") from None

    def _open(self, added: AddedSource) -> Provider | None:
        """Return a source of the store; None, and say why, if this installation cannot read its kind."""
        known = self._opened.get(added.name)
        if known is not None and known[0] == added:
            return known[1]
        try:
            provider = open_source(added.name, _table_of(added))
        except BadSetting as error:
            log.warning("the source %s, which was added, cannot be used: %s", added.name, error)
            return None
        self._opened[added.name] = (added, provider)
        return provider

    def _question(self) -> "asyncio.Task[dict[str, AddedSource]]":
        """Ask the store which sources there are: who asks before it has answered shares its answer."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._read())
            self._asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # or asyncio logs it
        return self._asked

    async def _read(self) -> dict[str, AddedSource]:
        found = {source.name: source for source in await self._inbox.store.added_sources()}
        if self._asked is asyncio.current_task():  # else something was changed meanwhile
            self._known = found
        return found

    def _forget(self, name: str) -> None:
        """Go by nothing that was known of a source before our change, nor by what the store is being asked just now."""
        self._known = {other: source for other, source in self._known.items() if other != name}
        self._asked = None


def _table_of(added: AddedSource) -> SourceSettings:
    given = msgspec.structs.asdict(added)
    return SourceSettings(**{name: given[name] for name in SourceSettings.__struct_fields__})


def _choose_secret(kind: str, given: str) -> str:
    """Return the secret that was given, or a new one. Raises BadRequest where the service has one of its own."""
    source = find_source(kind)
    if given.strip():
        return given.strip()
    if isinstance(source, Webhook) and not source.is_secret_ours:
        raise BadRequest(f"The secret is missing: of the kind {kind} it is the service's own, which its console shows.")
    return secrets.token_urlsafe(32)
