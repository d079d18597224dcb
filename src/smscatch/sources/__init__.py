"""The forms in which messages reach us, by the KIND that stands in a spool entry and in the settings.

A source is one module with SOURCE, a Source or a Webhook, and one line in KINDS. Its module is loaded when a delivery
of its kind is read, or the settings name a source of it.
"""

import importlib
import sys
from collections.abc import Mapping, Sequence

from smscatch.errors import BadDelivery, BadSetting
from smscatch.messages import Message, Part
from smscatch.settings import Settings, SourceSettings
from smscatch.sources.base import LineOf, Source, read_codes
from smscatch.sources.webhook import Provider, Webhook, parse_envelope

KINDS: Mapping[str, str] = {
    "gammu": "smscatch.sources.gammu",
    "pdu": "smscatch.sources.pdu",
    "smpp": "smscatch.sources.smpp",
    "caught": "smscatch.sources.caught",
    "reply": "smscatch.sources.reply",
    "generic": "smscatch.sources.generic",
    "signed": "smscatch.sources.signed",
    "smsgate": "smscatch.sources.smsgate",
    "telnyx": "smscatch.sources.telnyx",
    "twilio": "smscatch.sources.twilio",
    "vonage": "smscatch.sources.vonage",
    "hilink": "smscatch.sources.hilink",
    "modemmanager": "smscatch.sources.modemmanager",
}

__all__ = [
    "KINDS",
    "LineOf",
    "find_former_id",
    "find_source",
    "join_parts",
    "open_source",
    "open_sources",
    "parse_delivery",
    "read_codes",
    "read_delivery",
    "signed_kinds",
]


def find_source(kind: str) -> Source | Webhook | None:
    """Return the source of a kind."""
    if kind not in KINDS:
        return None
    module = sys.modules.get(KINDS[kind]) or importlib.import_module(KINDS[kind])
    source: Source | Webhook = module.SOURCE
    return source


def signed_kinds() -> dict[str, Webhook]:
    """Return the kinds whose deliveries come over HTTP and are signed."""
    sources = {kind: find_source(kind) for kind in KINDS}
    return {kind: source for kind, source in sources.items() if isinstance(source, Webhook) and source.check}


def open_sources(settings: Settings) -> dict[str, Provider]:
    """Return the sources that are configured, by name.

    Raises BadSetting for a kind that there is not, if `public_url` is missing where it is signed, and for what the kind
    itself cannot work with.
    """
    providers = {}
    for name, configured in settings.sources.items():
        try:
            providers[name] = open_source(name, configured)
        except BadSetting as error:
            raise BadSetting(f"{settings.config}: sources.{name}: {error}") from error
    return providers


def open_source(name: str, configured: SourceSettings) -> Provider:
    """Return a source as its table has it. Raises BadSetting as `open_sources` does."""
    webhook = _fit(configured)
    return Provider(name, webhook, configured.secrets, configured.public_url, configured.lines or None)


def _fit(configured: SourceSettings) -> Webhook:
    """Return the webhook of a source as its table has it."""
    kind = configured.kind
    webhook = find_source(kind)
    if not isinstance(webhook, Webhook) or webhook.check is None:
        raise BadSetting(f"there is no kind {kind!r}. Kinds: {', '.join(signed_kinds())}.")
    if webhook.fit is not None:
        webhook = webhook.fit(webhook, configured)
    if (configured.fields or configured.signature) and not webhook.fields:
        raise BadSetting(f"fields and signature are for the kind signed; {kind} knows its own.")
    if webhook.signs_url and configured.public_url is None:
        raise BadSetting(
            f"public_url is missing: {kind} signs the address that it calls, so give it as it stands in its console."
        )
    return webhook


def parse_delivery(kind: str, body: bytes, name: str, line_of: LineOf) -> list[Message | Part]:
    """Return the messages in a delivery, or the parts of long ones, their texts still unread.

    `name` identifies it, `line_of` turns a modem's name into our number.
    Raises BadDelivery, saying what is missing or wrong.
    """
    source = find_source(kind)
    if source is None:
        raise BadDelivery(f"No source reads deliveries of kind {kind!r}; there are: {', '.join(KINDS)}.")
    if isinstance(source, Webhook):
        return list(source.read(parse_envelope(body), name, line_of))
    return list(source.read(body, name, line_of))


def read_delivery(kind: str, body: bytes, name: str, line_of: LineOf) -> list[Message | Part]:
    """Return what `parse_delivery` does, with the codes in the texts, which takes time if they are long."""
    found = parse_delivery(kind, body, name, line_of)
    return [read_codes(one) if isinstance(one, Message) else one for one in found]


def find_former_id(kind: str, body: bytes) -> str | None:
    """Return which id a version before gave to the message in a delivery, if it was another than now."""
    source = find_source(kind)
    if isinstance(source, Webhook) and source.find_former_id is not None:
        return source.find_former_id(parse_envelope(body))
    return None


def join_parts(parts: Sequence[Part]) -> Message:
    """Return the message of parts that belong together, with its codes: complete, or of what is there of it.

    Their order does not matter; of two with one number the earlier counts. The id is that of the part that came first,
    so it stays when others come later. Raises BadDelivery if their source has no parts.
    """
    source = find_source(parts[0].source)
    if source is None or source.join is None:
        raise BadDelivery(f"No source joins parts of kind {parts[0].source!r}.")
    return read_codes(source.join(parts))
