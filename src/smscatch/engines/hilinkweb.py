"""The web API of a HiLink stick or router, through huawei-lte-api: its texts, and how it is. It blocks; no decision.

Sources: https://github.com/Salamek/huawei-lte-api for calls and error codes, the script of the stick's own page for
SimState. Untried on a real stick.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple
from xml.parsers.expat import ExpatError

import requests
from huawei_lte_api.Client import Client
from huawei_lte_api.Connection import Connection
from huawei_lte_api.enums.sms import BoxTypeEnum, SortTypeEnum
from huawei_lte_api.exceptions import (
    LoginErrorAlreadyLoginException,
    LoginErrorInvalidCredentialsException,
    LoginErrorUsernamePasswordModifyException,
    LoginErrorUsernamePasswordOverrunException,
    ResponseErrorException,
    ResponseErrorLoginCsrfException,
    ResponseErrorLoginRequiredException,
    ResponseErrorWrongSessionToken,
)

from smscatch.engines.retrying import EngineTrouble

# To connect, and between two pieces of an answer.
TIMEOUT_SECONDS = (5.0, 10.0)
PAGE_SIZE = 50
MAX_PAGES = 40
# How long another is left alone who is logged in, and a page that does not take our password.
HELD_SECONDS = 60.0
REFUSED_SECONDS = 3600.0
SIM_STATES = {"255": "no_sim", "256": "no_sim", "260": "pin_needed", "261": "puk"}
REGISTERED = "2"  # ServiceStatus

HELD = "Another session holds the web page of the stick: we leave it alone for a minute. Log out there."
LOGIN_NEEDED = (
    "The web page of the stick wants a login: set `password` (or `password_file`) at the line, as it is on that page."
)
LOGIN_REFUSED = (
    "The web page of the stick refuses the login ({error}): correct `password` at the line. It is tried again in an"
    " hour, since sticks lock themselves after some wrong ones, or once smscatch is started anew."
)
NO_STICK = "Nothing answers at {url}: is the stick plugged in, and its network up? `curl {url}` shows."
SILENT = "The stick at {url} does not answer in time. If it stays so, pull it out and plug it in."
NO_HILINK = "What answers at {url} is no HiLink stick: {error}. Check `device` at the line."


class ShownText(NamedTuple):
    """A text, as the stick tells it; `number` is its Index, its identity while it lives, `date` has no zone."""

    number: int
    phone: str
    content: str
    date: str
    sca: str
    kind: str


class HilinkWeb:
    """A session with a stick. All its methods raise EngineTrouble."""

    def __init__(self, url: str, password: str | None) -> None:
        """Open the session, with a login if there is a password."""
        self._url, self._password = url, password
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of this machine does not know the stick
        try:
            self._connection: Connection = self._ask(
                lambda: Connection(
                    url,
                    username="admin" if password else None,
                    password=password,
                    timeout=TIMEOUT_SECONDS,
                    requests_session=self._session,
                )
            )
        except EngineTrouble:
            self._session.close()
            raise
        self._client = Client(self._connection)

    def close(self) -> None:
        """Log out, so that others may log in, as far as the stick still listens."""
        try:
            self._ask(self._connection.close)
        except EngineTrouble:
            pass  # it forgets us by itself
        finally:
            self._session.close()

    def texts(self) -> list[ShownText]:
        """Return all texts in the stick's own inbox, the oldest first."""
        found: dict[int, ShownText] = {}
        for page in range(1, MAX_PAGES + 1):
            listed = self._ask(partial(self._page, page))
            found |= {text.number: text for text in listed}
            if len(listed) < PAGE_SIZE:
                break
        return list(found.values())

    def _page(self, page: int) -> list[ShownText]:
        answer = self._client.sms.get_sms_list(
            page, BoxTypeEnum.LOCAL_INBOX, PAGE_SIZE, SortTypeEnum.DATE, ascending=True
        )
        return [_listed(told) for told in (answer.get("Messages") or {}).get("Message") or []]

    def delete(self, number: int) -> bool:
        """Delete a text; return False if the stick refuses."""
        try:
            return bool(self._ask(lambda: self._client.sms.delete_sms(number)) == "OK")
        except EngineTrouble as trouble:
            if trouble.state != "starting":
                raise
            return False

    def identity(self) -> dict[str, str]:
        """Return what is told of the device: Imei, Imsi, DeviceName, SoftwareVersion, Msisdn."""
        return self._told(self._client.device.information)

    def vitals(self) -> dict[str, str]:
        """Return what is told of SIM, network, signal and storage, under the stick's own names."""
        calls = (
            self._client.monitoring.status,
            self._client.device.signal,
            self._client.net.current_plmn,
            self._client.pin.status,
            self._client.sms.sms_count,
        )
        return {name: value for call in calls for name, value in self._told(call).items()}

    def _told(self, call: Callable[[], Mapping[str, Any]]) -> dict[str, str]:
        """Return the answer of a call that a stick may lack, or keep for those that are logged in."""
        try:
            answer = self._ask(call)
        except EngineTrouble as trouble:
            if trouble.state not in ("starting", "login_needed", "not_at"):
                raise
            return {}
        return {name: str(value) for name, value in answer.items() if isinstance(value, str)}

    def _ask(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except requests.Timeout as error:
            raise EngineTrouble("silent", SILENT.format(url=self._url)) from error
        except requests.ConnectionError as error:
            raise EngineTrouble("port_missing", NO_STICK.format(url=self._url)) from error
        except ResponseErrorException as error:
            raise _trouble_of(error, has_password=bool(self._password)) from error
        except (requests.RequestException, ExpatError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise EngineTrouble("not_at", NO_HILINK.format(url=self._url, error=type(error).__name__)) from error


def _listed(told: Mapping[str, str | None]) -> ShownText:
    words = [told.get(name) or "" for name in ("Phone", "Content", "Date", "Sca", "SmsType")]
    return ShownText(int(told["Index"] or ""), *words)


def _trouble_of(error: ResponseErrorException, *, has_password: bool) -> EngineTrouble:
    refused = (
        LoginErrorInvalidCredentialsException,
        LoginErrorUsernamePasswordModifyException,
        LoginErrorUsernamePasswordOverrunException,
    )
    held = (LoginErrorAlreadyLoginException, ResponseErrorWrongSessionToken, ResponseErrorLoginCsrfException)
    if isinstance(error, refused):
        return EngineTrouble("login_needed", LOGIN_REFUSED.format(error=error), REFUSED_SECONDS)
    if isinstance(error, held):
        return EngineTrouble("port_busy", HELD, HELD_SECONDS)
    if isinstance(error, ResponseErrorLoginRequiredException) and not has_password:
        return EngineTrouble("login_needed", LOGIN_NEEDED)
    return EngineTrouble("starting", f"The stick answers with an error: {error}.")


def health_of(identity: Mapping[str, str], vitals: Mapping[str, str]) -> dict[str, Any]:
    """Return the facts of a line's health that a stick tells; what it does not tell is None."""
    bars, most = _number(vitals.get("SignalIcon")), _number(vitals.get("maxsignal")) or 5
    counted = [_number(vitals.get(name)) for name in ("LocalInbox", "LocalOutbox", "LocalDraft")]
    status = vitals.get("ServiceStatus")
    where = "roaming" if vitals.get("RoamingStatus") == "1" else "home"
    return {
        "signal_dbm": _number(vitals.get("rssi")),
        "signal_percent": None if bars is None else min(100, 100 * bars // most),
        "registration": None if status is None else where if status == REGISTERED else "searching",
        "operator": vitals.get("FullName"),
        "storage_used": None if None in counted else sum(each or 0 for each in counted),
        "storage_size": _number(vitals.get("LocalMax")),
        "maker": "huawei",
        "model": identity.get("DeviceName"),
        "firmware": identity.get("SoftwareVersion"),
        "imei": identity.get("Imei"),
        "number": identity.get("Msisdn"),
    }


def _number(told: str | None) -> int | None:
    found = re.search(r"-?\d{1,6}", told or "")
    return int(found[0]) if found else None
