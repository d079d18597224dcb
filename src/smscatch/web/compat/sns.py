"""Amazon SNS, as far as it sends texts: what an application publishes to a number with AWS's SDKs is caught.

Source: AWS's documentation, "Amazon SNS API Reference", "Publish" and "Common errors", "Publishing to a mobile phone"
(attributes, lengths). What the SDKs send and accept was tried with boto3 1.44. Topics are none of ours.
"""

import uuid
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import msgspec

from smscatch.errors import BadSend, Forbidden, NotFound, SmscatchError, StoreUnavailable, TooManyTries, Unauthorized
from smscatch.sending import Desk, Outgoing
from smscatch.web.compat.base import Asked, Operation, SdkAnswer, SendApi, parse_recipient, parse_sender
from smscatch.web.compat.sigv4 import find_signature, is_signed
from smscatch.web.compat.sms_voice import TARGET, refuse_text, send_text

NAMESPACE = "http://sns.amazonaws.com/doc/2010-03-31/"
XML = "text/xml"
MAX_BYTES = 1600  # of a text
UNNAMED = "NOTICE"  # the sender of a text for which none is given, where a network wants a name
SENDER_ID, NUMBER = "AWS.SNS.SMS.SenderID", "AWS.MM.SMS.OriginationNumber"
NOT_MATCHING = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key"
    " and signing method. Consult the service documentation for details."
)
# Status, code and sentence of what is refused before an action begins; a code is a class of an SDK's errors.
REFUSED: Mapping[type[SmscatchError], tuple[int, str, str]] = {
    Unauthorized: (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
    Forbidden: (403, "AuthorizationError", "The key is not authorized to perform: SNS:Publish on this resource."),
    TooManyTries: (429, "Throttled", "Rate exceeded"),
    StoreUnavailable: (500, "InternalError", "The request processing has failed; try again."),
}


async def act(asked: Asked, desk: Desk, path: Mapping[str, str]) -> SdkAnswer:
    """Do what the field Action says, or what another service is asked for at the same place.

    Raises Unauthorized if the request was not signed with the key.
    """
    signature = find_signature(asked)
    if signature is not None and not is_signed(asked, signature, desk.secret):
        raise Unauthorized(NOT_MATCHING, code="SignatureDoesNotMatch")
    if TARGET in asked.headers:
        return await send_text(asked, desk)
    action = asked.text("Action")
    if action == "Publish":
        return _answer(action, f"<MessageId>{await _publish(asked, desk)}</MessageId>")
    if action == "SetSMSAttributes":  # what a program does before it sends; spending and reports are none of ours
        return _answer(action, "")
    if action == "CheckIfPhoneNumberIsOptedOut":
        return _answer(action, "<isOptedOut>false</isOptedOut>")
    raise _wrong("action", f"The action {action} is not valid for this web service.", code="InvalidAction")


async def _publish(asked: Asked, desk: Desk) -> uuid.UUID:
    """Catch a text to a number; return its id."""
    if asked.text("TopicArn") or asked.text("TargetArn"):
        raise NotFound("Topic does not exist")
    to, text = _parse_number(asked.text("PhoneNumber")), _text_of(asked)
    attributes = _attributes(asked)
    sender = parse_sender(attributes.get(NUMBER) or attributes.get(SENDER_ID) or UNNAMED)
    sent = desk.prepare(Outgoing(to, sender, text, facts={"attributes": attributes}))
    await desk.keep(sent)
    return uuid.UUID(sent.id)


def _parse_number(written: str) -> str:
    if not written:
        sentence = "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"
        raise BadSend(sentence, field="to", is_missing=True, code="InvalidParameter")
    try:
        return parse_recipient(written)
    except BadSend:
        raise _wrong("to", f"Invalid parameter: PhoneNumber Reason: {written} is not valid to publish to") from None


def _text_of(asked: Asked) -> str:
    """Return the field Message; of a structure that has a text for each protocol the one for SMS."""
    text = str(asked.fields.get("Message") or "")
    if text and asked.text("MessageStructure") == "json":
        text = _text_for_sms(text)
    if not text:
        raise _wrong("text", "Invalid parameter: Empty message")
    if len(text.encode()) > MAX_BYTES:
        raise _wrong("text", "Invalid parameter: Message too long")
    return text


def _text_for_sms(structure: str) -> str:
    try:
        texts = msgspec.json.decode(structure, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        sentence = "Invalid parameter: Message Structure - JSON message body failed to parse"
        raise _wrong("text", sentence) from None
    if "default" not in texts:
        raise _wrong("text", "Invalid parameter: Message Structure - No default entry in JSON message body")
    return str(texts.get("sms", texts["default"]) or "")


def _attributes(asked: Asked) -> dict[str, str]:
    """Return the attributes that are texts, by their names: MessageAttributes.entry.N.Name, .Value.StringValue."""
    fields = asked.fields
    named = {name.removesuffix(".Name"): value for name, value in fields.items() if name.endswith(".Name")}
    return {str(value): asked.text(f"{entry}.Value.StringValue") for entry, value in named.items()}


def _wrong(field: str, sentence: str, code: str = "InvalidParameter") -> BadSend:
    return BadSend(sentence, field=field, is_missing=False, code=code)


def find_key(asked: Asked) -> str | None:
    """Return the id of the access key that signed, which is one of our keys, as is the secret; or a Bearer token.

    The latter is how `smscatch catch` hands on what an application signed with a key of its own.
    """
    signature = find_signature(asked)
    return asked.bearer or None if signature is None else signature.key_id


def refuse(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as SNS does, in XML: of anything else an SDK makes an error that tells nothing."""
    if TARGET in asked.headers:
        return refuse_text(error, asked)
    status, code, sentence = error.status, "InternalFailure", str(error)
    for kind, refused in REFUSED.items():
        if isinstance(error, kind):
            status, code, sentence = refused
    if isinstance(error, Unauthorized):
        if not asked.headers.get("authorization"):
            code, sentence = "MissingAuthenticationToken", "Request is missing Authentication Token"
        elif "code" in error.details:
            code, sentence = error.details["code"], NOT_MATCHING
    elif isinstance(error, BadSend):
        code = error.details.get("code", "InvalidParameter")
    elif isinstance(error, NotFound):
        code = "NotFound"
    fault = "Receiver" if status >= 500 else "Sender"
    inside = f"<Type>{fault}</Type><Code>{code}</Code><Message>{escape(sentence)}</Message>"
    body = f'<ErrorResponse xmlns="{NAMESPACE}"><Error>{inside}</Error><RequestId>{uuid.uuid4()}</RequestId>'
    return SdkAnswer(f"{body}</ErrorResponse>\n".encode(), status, XML)


def _answer(action: str, result: str) -> SdkAnswer:
    metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    inside = f"<{action}Result>{result}</{action}Result>{metadata}"
    return SdkAnswer(f'<{action}Response xmlns="{NAMESPACE}">{inside}</{action}Response>\n'.encode(), media_type=XML)


API = SendApi(find_key, refuse, (Operation("POST", "/", act),))
