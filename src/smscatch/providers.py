"""Which hosts belong to SMS providers, and under which path our server answers in the place of each. No network."""

import re
from collections.abc import Sequence
from typing import NamedTuple

# A label of a host, in the form that Python, JavaScript and Ruby read alike.
_LABEL = "[a-z0-9-]+"


class SmsProvider(NamedTuple):
    """A provider of SMS, and the `domains` in which its hosts are.

    `caught` are the hosts of its API for which our server answers with the send API of this name (web/compat).
    `others` are hosts with which it could send a text too, and which are therefore never let through: by default all of
    its domains. Both are regular expressions of whole names in lower case.
    """

    name: str
    domains: Sequence[str]
    caught: Sequence[str] = ()
    others: Sequence[str] = ()

    @property
    def prefix(self) -> str:
        """What stands before a path of its API at our server."""
        return f"/{self.name}"

    @property
    def hosts(self) -> Sequence[str]:
        """What matches all hosts that are caught or never let through."""
        return (*self.caught, *(self.others or (rf"(?:{_LABEL}\.)*{re.escape(domain)}" for domain in self.domains)))


# Hosts as the providers' own packages have them; with a region or an edge Twilio's gets one or two labels more
# (https://www.twilio.com/docs/global-infrastructure/understanding-edge-locations).
PROVIDERS = (
    SmsProvider("twilio", ("twilio.com",), (rf"(?:api|verify|messaging)(?:\.{_LABEL}){{0,2}}\.twilio\.com",)),
    SmsProvider(
        "vonage",
        ("nexmo.com", "vonage.com"),
        (rf"(?:api|rest)(?:-{_LABEL})?\.nexmo\.com", rf"api(?:-{_LABEL})?\.vonage\.com"),
    ),
    SmsProvider("plivo", ("plivo.com",), (r"api\.plivo\.com",)),
    SmsProvider("telnyx", ("telnyx.com",), (r"api\.telnyx\.com",)),
    SmsProvider("messagebird", ("messagebird.com", "bird.com"), (r"rest\.messagebird\.com",)),
    SmsProvider(
        "sinch",
        ("sinch.com", "clxapi.com"),
        (rf"(?:zt\.)?{_LABEL}\.sms\.api\.sinch\.com", r"auth\.sinch\.com"),
    ),
    # Amazon's other services are none of ours (https://docs.aws.amazon.com/general/latest/gr/sns.html).
    SmsProvider(
        "sns",
        ("amazonaws.com", "amazonaws.com.cn", "api.aws"),
        (rf"(?:sns|sns-fips|sms-voice|sms-voice-fips)\.{_LABEL}\.(?:amazonaws\.com(?:\.cn)?|api\.aws)",),
        (rf"pinpoint(?:-fips)?\.{_LABEL}\.amazonaws\.com",),
    ),
    SmsProvider("smsgate", ("sms-gate.app",), (r"api\.sms-gate\.app",)),
    SmsProvider("infobip", ("infobip.com",)),
    SmsProvider("clicksend", ("clicksend.com",)),
    SmsProvider("46elks", ("46elks.com",)),
    SmsProvider("clickatell", ("clickatell.com",)),
    SmsProvider("gatewayapi", ("gatewayapi.com", "gatewayapi.eu")),
    SmsProvider("seven", ("seven.io", "sms77.io")),
    SmsProvider("smsapi", ("smsapi.com", "smsapi.pl")),
    SmsProvider("textmagic", ("textmagic.com",)),
    SmsProvider("bulksms", ("bulksms.com",)),
    SmsProvider("smsglobal", ("smsglobal.com",)),
    SmsProvider("telesign", ("telesign.com",)),
    SmsProvider("bandwidth", ("bandwidth.com",)),
    SmsProvider("africastalking", ("africastalking.com",)),
    SmsProvider("msg91", ("msg91.com",)),
    SmsProvider("azure", ("communication.azure.com",)),
)
_HOSTS = [
    (provider, re.compile("|".join(provider.caught) or "(?!)"), re.compile("|".join(provider.hosts)))
    for provider in PROVIDERS
]
# All of them, for what is loaded into programs and asks for a host in whatever case it is written.
HOSTS_PATTERN = rf"^(?:{'|'.join(host for provider in PROVIDERS for host in provider.hosts)})\.?$"


class Judged(NamedTuple):
    """The provider that a host belongs to, and whether our server answers in its place."""

    provider: SmsProvider
    is_caught: bool


def find_provider(host: str) -> Judged | None:
    """Return whose host it is, however it is written; None if it is no SMS provider's."""
    plain = normal_host(host)
    for provider, caught, hosts in _HOSTS:
        if caught.fullmatch(plain):
            return Judged(provider, True)
        if hosts.fullmatch(plain):
            return Judged(provider, False)
    return None


def normal_host(host: str) -> str:
    """Return a host's name as it is compared: in lower case, without the dot that ends a full name (RFC 1034, 3.1)."""
    return host.lower().rstrip(".")


def is_near_provider(entry: str) -> bool:
    """Return whether an entry of NO_PROXY may exempt a provider's host: it is one, lies above or under one, or is *."""
    end = normal_host(entry).partition(":")[0].lstrip("*.")
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    return not end or any(f".{end}".endswith(f".{domain}") or f".{domain}".endswith(f".{end}") for domain in domains)
