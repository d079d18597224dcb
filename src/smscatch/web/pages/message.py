"""One message: which code it holds and why, its times, who read it, the delivery it came in, and its end."""

import asyncio
from datetime import timedelta
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from smscatch import codes, replying
from smscatch.errors import BadRequest, NotFound
from smscatch.keys import LEASE, SEND
from smscatch.messages import CAUGHT, Message
from smscatch.times import format_time
from smscatch.web.api.messages import find_message
from smscatch.web.api.replies import outbox_of
from smscatch.web.endpoint import access_of, inbox_of, render
from smscatch.web.pages.login import read_form
from smscatch.web.pages.rows import Piece, address_of, rows_of, tags_of

MAX_SHOWN_BYTES = 2048
BYTES_A_LINE = 16


class Raw(NamedTuple):
    """A delivery as it came: as a text with its control characters made visible, as bytes, and how many are left out.

    `text` is None if the bytes are no UTF-8.
    """

    text: str | None
    hexadecimal: str
    left_out: int


async def message_page(request: Request) -> Response:
    """One message: its text, its times, and which code it holds for what reason."""
    stored = await find_message(request)
    access, message = access_of(request), stored.message
    access.note([stored])
    (row,) = await rows_of(request, [stored], tags_of(await access.lines()))
    reading = await asyncio.to_thread(lambda: codes.find_codes(message.text))
    raw = await access.raw(message.id)
    html = render(
        request,
        "message.html",
        row=row,
        candidates=[*reading.codes, *reading.rejected],
        accepted=len(reading.codes),
        links=[Piece(link, address_of(link)) for link in dict.fromkeys(message.links)],
        delay=_delay(message),
        reads=await access.reads(message.id),
        raw=None if raw is None else show_raw(raw),
        told=await access.calls(stored),
        can_reply=CAUGHT in message.marks and access.may((LEASE, SEND)),
        most=replying.MAX_TEXT,
        now=format_time(inbox_of(request).now()),
    )
    return HTMLResponse(html)


def _delay(message: Message) -> float | None:
    """Return the seconds between the SMSC's time and ours."""
    return None if message.sent_at is None else (message.received_at - message.sent_at) / timedelta(seconds=1)


def show_raw(raw: bytes) -> Raw:
    """Return the beginning of a delivery in two forms that a page can show, whatever is in it."""
    shown = raw[:MAX_SHOWN_BYTES]
    try:
        text = shown.decode(errors="strict" if len(shown) == len(raw) else "ignore")
    except UnicodeDecodeError:
        text = None
    return Raw(text and _visible(text), _dump(shown), len(raw) - len(shown))


def _visible(text: str) -> str:
    """Return a text with a picture for each control character; NUL ends a variable, so it ends the line too."""
    pictures = {code: chr(0x2400 + code) for code in range(32) if chr(code) != "\n"}
    return text.translate(pictures | {0: "\u2400\n", 0x7F: "\u2421"})


def _dump(raw: bytes) -> str:
    starts = range(0, len(raw), BYTES_A_LINE)
    return "\n".join(f"{start:04x}  {raw[start : start + BYTES_A_LINE].hex(' ')}" for start in starts)


async def download_raw(request: Request) -> Response:
    """The delivery that a message was read from, as a file."""
    message = (await find_message(request)).message
    raw = await access_of(request).raw(message.id)
    if raw is None:
        raise NotFound("This message was deleted just now.")
    headers = {"content-disposition": f'attachment; filename="{message.id}.sms"'}
    return Response(raw, media_type="application/octet-stream", headers=headers)


async def delete(request: Request) -> Response:
    """Delete a message for good, from the form that asked first, and go back to the list."""
    await access_of(request).delete(await find_message(request))
    return RedirectResponse("/", 303)


async def reply(request: Request) -> Response:
    """Reply as the handset to the application that sent a text, from the form beside it, and go back to that."""
    message, form = (await find_message(request)).message, await read_form(request)
    text = form.get("text", [""])[0].strip()[: replying.MAX_TEXT]
    if not text:
        raise BadRequest("The reply is empty.", parameter="text")
    url = form.get("url", [""])[0].strip() or None
    asked = replying.ReplyRequest(line=message.line, text=text, to=message.sender, provider=message.provider, url=url)
    await replying.reply(access_of(request), asked, outbox_of(request))
    return RedirectResponse(f"/messages/{message.id}", 303)
