"""The weather: what becomes of texts that are caught, by rules of the settings and those that were made while we ran.

The latter are one memo in the store, so every server on it has the same weather. What a rule does to a text is done in
sending.py and arriving.py.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from smscatch.errors import BadRequest, NotFound, StoreUnavailable
from smscatch.inbox import Inbox
from smscatch.messages import MAX_NAME
from smscatch.settings import Settings
from smscatch.settings.weather import EFFECTS, MAX_DELAY_SECONDS, MAX_SLOW_SECONDS
from smscatch.stores import Memo
from smscatch.times import Time

MEMO: Final = "weather"
MOST_RULES = 1000
LASTS_SECONDS, MAX_LASTS_SECONDS = 3600.0, 30 * 86_400.0
PATIENCE_SECONDS = 1.0  # for the store to say what the weather is

Ending = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]


class NewWeather(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall become of the texts to numbers that end in `line`, from senders that end in `sender`, by `provider`.

    Those that are empty fit all. It lasts for `lasts_seconds`. `delay_seconds` is how long texts take to arrive, `drop`
    that they never do, `double` that they do twice, `reorder` that each second one arrives before the one that it
    followed; `undelivered` is the provider's code with which they fail, `throttle` refuses them with 429, and
    `slow_seconds` is how late the answer to a send comes.
    """

    line: Ending = ""
    sender: Ending = ""
    provider: Ending = ""
    delay_seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_DELAY_SECONDS)] = 0.0
    drop: bool = False
    double: bool = False
    reorder: bool = False
    undelivered: Annotated[str, msgspec.Meta(max_length=20)] = ""
    throttle: bool = False
    slow_seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_SLOW_SECONDS)] = 0.0
    lasts_seconds: Annotated[float, msgspec.Meta(ge=1, le=MAX_LASTS_SECONDS)] = LASTS_SECONDS


class WeatherRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, as NewWeather has it, until a time; one of the settings has the name of its table, and no end."""

    id: str
    line: str = ""
    sender: str = ""
    provider: str = ""
    delay_seconds: float = 0.0
    drop: bool = False
    double: bool = False
    reorder: bool = False
    undelivered: str = ""
    throttle: bool = False
    slow_seconds: float = 0.0
    until: Time | None = None

    def fits(self, line: str, sender: str, provider: str) -> bool:
        """Return whether it is for a text."""
        return (
            _ends(line, self.line) and _ends(sender, self.sender) and (not self.provider or self.provider == provider)
        )


class WeatherRules(msgspec.Struct, frozen=True, kw_only=True):
    """The weather: the first rule that fits a text is the one that counts."""

    rules: list[WeatherRule]


class Weather:
    """The rules of a house."""

    def __init__(self, settings: Settings, inbox: Inbox) -> None:
        self._inbox = inbox
        self._configured = [
            WeatherRule(id=name, **msgspec.structs.asdict(entry)) for name, entry in settings.weather.items()
        ]

    async def rules(self) -> list[WeatherRule]:
        """Return the rules, the newest first, those of the settings last."""
        now = await self._inbox.time()
        return [*_decode(await self._inbox.store.memo(MEMO, now), now), *self._configured]

    async def rules_now(self) -> list[WeatherRule]:
        """Return the rules; while the store is silent or away, those of the settings."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.rules()
        except (StoreUnavailable, TimeoutError):
            return self._configured

    async def add(self, new: NewWeather) -> WeatherRule:
        """Make a rule, which goes before all others. Raises BadRequest for one that does nothing."""
        if not any(getattr(new, effect) for effect in EFFECTS):
            raise BadRequest(f"This weather does nothing: give one of {', '.join(EFFECTS)}.")
        values = msgspec.structs.asdict(new)
        lasts = timedelta(seconds=values.pop("lasts_seconds"))
        rule = WeatherRule(id=secrets.token_hex(8), **values)

        def added(rules: Sequence[WeatherRule], now: datetime) -> list[WeatherRule]:
            if len(rules) >= MOST_RULES:
                raise BadRequest(f"There are {MOST_RULES} rules already: remove some.")
            return [msgspec.structs.replace(rule, until=now + lasts), *rules]

        return (await self._change(added))[0]

    async def remove(self, rule_id: str) -> None:
        """Remove a rule that was made. Raises NotFound, also for one of the settings."""

        def removed(rules: Sequence[WeatherRule], _: datetime) -> list[WeatherRule]:
            left = [rule for rule in rules if rule.id != rule_id]
            if len(left) == len(rules):
                raise NotFound(f"No rule of the weather is called {rule_id[:40]!r}; those of smscatch.toml stay.")
            return left

        await self._change(removed)

    async def _change(
        self, decide: Callable[[Sequence[WeatherRule], datetime], list[WeatherRule]]
    ) -> list[WeatherRule]:
        """Keep what `decide` makes of the rules; decide anew if somebody else was first (compare and set)."""
        while True:
            now = await self._inbox.time()
            memo = await self._inbox.store.memo(MEMO, now)
            rules = decide(_decode(memo, now), now)
            until = max((rule.until or now for rule in rules), default=now + timedelta(seconds=1))
            # No two changes leave the same behind: an id is random, and each list is one that was not there before.
            content = msgspec.json.encode([secrets.token_hex(8), rules])
            if await self._inbox.store.change_memo(MEMO, memo, Memo(content, until), now):
                return rules


def find_rule(rules: Iterable[WeatherRule], *, line: str, sender: str, provider: str) -> WeatherRule | None:
    """Return the first rule that is for a text."""
    return next((rule for rule in rules if rule.fits(line, sender, provider)), None)


def _decode(memo: Memo | None, now: datetime) -> list[WeatherRule]:
    if memo is None:
        return []
    _, rules = msgspec.json.decode(memo.content, type=tuple[str, list[WeatherRule]])
    return [rule for rule in rules if rule.until is None or rule.until > now]


def _ends(whole: str, ending: str) -> bool:
    return whole.casefold().removeprefix("+").endswith(ending.casefold().removeprefix("+"))
