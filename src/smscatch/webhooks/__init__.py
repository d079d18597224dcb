"""How each provider tells an application of a text from a handset: its inbound webhook, signed as it signs.

A provider is one module with FORM, an InboundForm, and one line in FORMS. Nothing is sent here.
"""

import importlib
from collections.abc import Mapping

from smscatch.webhooks.base import Inbound, InboundForm, Keywords

FORMS: Mapping[str, str] = {
    "messagebird": "smscatch.webhooks.messagebird",
    "plivo": "smscatch.webhooks.plivo",
    "sinch": "smscatch.webhooks.sinch",
    "telnyx": "smscatch.webhooks.telnyx",
    "twilio": "smscatch.webhooks.twilio",
    "vonage": "smscatch.webhooks.vonage",
}

__all__ = ["FORMS", "Inbound", "InboundForm", "Keywords", "find_form"]


def find_form(provider: str) -> InboundForm | None:
    """Return how a provider tells of a text; None if we do not write its webhooks."""
    if provider not in FORMS:
        return None
    form: InboundForm = importlib.import_module(FORMS[provider]).FORM
    return form
