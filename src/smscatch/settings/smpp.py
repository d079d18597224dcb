"""The tables `[smpp.NAME]`: carriers to whose SMSCs we bind, to get texts."""

import os.path
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from smscatch.errors import BadSetting
from smscatch.settings.fields import Field
from smscatch.settings.lines import parse_number
from smscatch.settings.tables import Table, whole_name

MAX_BINDS = 10
NAME_FORM = "up to 64 printable ASCII characters"


def _parse_name(text: str) -> str:
    if not (text.isascii() and text.isprintable() and len(text) <= 64):
        raise ValueError(text)
    return text


def _parse_required(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return _parse_name(text)


def _parse_port(port: int) -> int:
    if not 0 < port < 65536:
        raise ValueError(port)
    return port


def _parse_binds(count: int) -> int:
    if not 0 < count <= MAX_BINDS:
        raise ValueError(count)
    return count


def _parse_ca(path: str) -> str:
    if not os.path.isfile(Path(path).expanduser()):  # which Path.is_file() raises for in a folder that is closed to us
        raise ValueError(path)
    return str(Path(path).expanduser())


class SmppSettings(msgspec.Struct, frozen=True):
    """An SMSC to which we bind as an ESME (SMPP v3.4, 4.1), so often at once as `binds` says.

    Texts are for the number that they were sent to, or all for `line`.
    """

    host: Annotated[str, Field("the SMSC's host", "a host name or an IP address", _parse_required)]
    system_id: Annotated[str, Field("who we are", NAME_FORM, _parse_required)]
    password: Annotated[
        str, Field("what proves it; most SMSCs take 8 characters at most", NAME_FORM, _parse_name, is_secret=True)
    ] = ""
    port: Annotated[int, Field("the SMSC's port", "a number from 1 to 65535", _parse_port)] = 2775
    tls: Annotated[bool, Field("whether the connection is encrypted", "true or false")] = False
    ca_file: Annotated[
        str | None,
        Field("what its certificate is signed with, where this machine does not know it", "a file (PEM)", _parse_ca),
    ] = None
    bind: Annotated[Literal["transceiver", "receiver"], Field("as what to bind", "transceiver or receiver")] = (
        "transceiver"
    )
    binds: Annotated[int, Field("how many binds at once", f"1 to {MAX_BINDS}", _parse_binds)] = 1
    system_type: Annotated[
        str, Field("what kind of system we are, if the carrier asks for it", NAME_FORM, _parse_name)
    ] = ""
    address_range: Annotated[
        str, Field("which of our numbers the bind is for, if the carrier asks for it", NAME_FORM, _parse_name)
    ] = ""
    alphabet: Annotated[
        Literal["gsm7", "latin1", "ascii"],
        Field("what the SMSC means by the data_codings 0 and 1", "gsm7, latin1 or ascii"),
    ] = "gsm7"
    line: Annotated[
        str | None, Field("whom its texts are for, if not the number that they were sent to", "a number in E.164")
    ] = None


def _check(smscs: dict[str, Any], country: str | None) -> dict[str, Any]:
    checked = {}
    for name, smsc in smscs.items():
        try:
            line = None if smsc.line is None else parse_number(smsc.line, country)
        except ValueError:
            where = whole_name("smpp", name, "line")
            raise BadSetting(f"{where}: {smsc.line!r} is no number in E.164, such as +4915112345678.") from None
        if smsc.ca_file and not smsc.tls:
            raise BadSetting(f"{whole_name('smpp', name)} has a ca_file but no tls = true: it would not be encrypted.")
        checked[name] = msgspec.structs.replace(smsc, line=line)
    return checked


SMPP = Table("carriers whose SMSCs we bind to", "[smpp.NAME]", SmppSettings, _check)
