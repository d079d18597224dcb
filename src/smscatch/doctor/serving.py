"""Whether the server answers, what it says of itself, and whether its lines hear what they usually hear."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from smscatch.doctor.finding import Patient
from smscatch.doctor.modems import check_modems
from smscatch.messages import Diagnosis, Line

if TYPE_CHECKING:
    import httpx2

ANSWER_SECONDS = 10.0
CLOCK_SECONDS = 5.0


class _Alive(msgspec.Struct):
    time: datetime


class _Ready(msgspec.Struct):
    warnings: list[str] = []


class _Refusal(msgspec.Struct):
    message: str


class _Lines(msgspec.Struct):
    lines: list[Line]


def check_server(patient: Patient) -> Iterator[Diagnosis]:
    """Ask the server of the settings `url` whether it is there, ready, and what its lines received."""
    import httpx2  # noqa: PLC0415 - doctor is a command of the base install too, which loads no more than it needs

    from smscatch.client.exchange import trusted_for  # noqa: PLC0415

    settings = patient.settings
    headers = {} if settings.key is None else {"Authorization": f"Bearer {settings.key}"}
    # No proxy of the environment is asked, as the client of a test asks none.
    with httpx2.Client(
        base_url=settings.url,
        headers=headers,
        timeout=ANSWER_SECONDS,
        verify=trusted_for(settings.url),
        trust_env=False,
    ) as client:
        try:
            yield from _ask(client, patient)
        except (httpx2.HTTPError, msgspec.MsgspecError) as error:
            yield Diagnosis(
                check="server",
                verdict="wrong",
                sentence=f"No server of ours answers at {settings.url}: {error}.",
                remedy="smscatch serve",
            )


def _ask(client: "httpx2.Client", patient: Patient) -> Iterator[Diagnosis]:
    settings = patient.settings
    alive = msgspec.json.decode(client.get("/healthz").content, type=_Alive)
    yield from _check_time(alive.time, patient.now)
    if settings.key is None:
        yield Diagnosis(
            check="server",
            verdict="note",
            sentence=f"A server answers at {settings.url}; how it is, it tells with a key only.",
            remedy="Set SMSCATCH_KEY, and look again.",
        )
        return
    ready = client.get("/readyz")
    yield from _check_ready(settings.url, ready.status_code, ready.content)
    lines = client.get("/api/v1/lines")
    if lines.is_success:
        found = [each for line in msgspec.json.decode(lines.content, type=_Lines).lines for each in line.checks]
        here = {each.sentence for each in check_modems(patient)}  # told already
        yield from (each for each in found if each.sentence not in here)


def _check_time(theirs: datetime, ours: datetime) -> Iterator[Diagnosis]:
    apart = abs((theirs - ours).total_seconds())
    if apart > CLOCK_SECONDS:
        yield Diagnosis(
            check="clock",
            verdict="wrong",
            sentence=f"The clock of the server and the one here are {apart:.0f} s apart.",
            remedy="sudo timedatectl set-ntp true",
        )


def _check_ready(url: str, status: int, body: bytes) -> Iterator[Diagnosis]:
    if status >= 400:
        said = msgspec.json.decode(body, type=_Refusal).message
        remedy = "Give a key of this server in SMSCATCH_KEY." if status < 500 else f"curl {url}/readyz"
        yield Diagnosis(check="server", verdict="wrong", sentence=f"The server at {url} says: {said}", remedy=remedy)
        return
    yield Diagnosis(check="server", verdict="ok", sentence=f"The server at {url} is ready.")
    for warning in msgspec.json.decode(body, type=_Ready).warnings:
        yield Diagnosis(check="server", verdict="note", sentence=warning)
