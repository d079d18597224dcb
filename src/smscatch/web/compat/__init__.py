"""The APIs of others over our texts: what was there before smscatch, and the send APIs of providers, which catch.

A send API is one module with API, a SendApi, and one line in SEND_APIS; its module is loaded at its first request. The
requests come in through send.py, which asks the desk (sending.py) to keep a text.
"""

import importlib
from collections.abc import Mapping

from smscatch.web.compat.base import SendApi

SEND_APIS: Mapping[str, str] = {
    "messagebird": "smscatch.web.compat.messagebird",
    "plain": "smscatch.web.compat.plain",
    "plivo": "smscatch.web.compat.plivo",
    "sinch": "smscatch.web.compat.sinch",
    "smsgate": "smscatch.web.compat.smsgate",
    "sns": "smscatch.web.compat.sns",
    "supabase": "smscatch.web.compat.supabase",
    "telnyx": "smscatch.web.compat.telnyx",
    "twilio": "smscatch.web.compat.twilio",
    "vonage": "smscatch.web.compat.vonage",
}


def find_send_api(name: str) -> SendApi:
    """Return the send API that stands under a name in SEND_APIS."""
    api: SendApi = importlib.import_module(SEND_APIS[name]).API
    return api
