"""AWS End User Messaging SMS (pinpoint-sms-voice-v2), as far as it sends texts. Its calls come to sns.py, as SNS's do.

Source: AWS's documentation, "AWS End User Messaging SMS v2 API Reference", "SendTextMessage" and "Common errors". What
the SDK sends and accepts was tried with boto3 1.44.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from smscatch.errors import BadSend, Forbidden, NotFound, SmscatchError, StoreUnavailable, TooManyTries, Unauthorized
from smscatch.sending import Desk, Outgoing
from smscatch.web.compat.base import Asked, SdkAnswer, parse_recipient, parse_sender

TARGET = "x-amz-target"  # a header that names the operation
SEND = "PinpointSMSVoiceV2.SendTextMessage"
JSON = "application/x-amz-json-1.0"
MAX_TEXT = 1600  # characters
UNNAMED = "NOTICE"  # the sender where the application leaves it to AWS
FIELDS = {"to": "DestinationPhoneNumber", "sender": "OriginationIdentity", "text": "MessageBody"}  # as AWS calls ours
_RESOURCE = re.compile(r"arn:.+|(?:pool|phone|rcs|sender)-.+")  # what an identity may be beside a number and a name
# Status and class of what is refused, as AWS's services that speak JSON have them.
REFUSED: Mapping[type[SmscatchError], tuple[int, str]] = {
    BadSend: (400, "ValidationException"),
    Forbidden: (400, "AccessDeniedException"),
    NotFound: (400, "UnknownOperationException"),
    StoreUnavailable: (500, "InternalServerException"),
    TooManyTries: (400, "ThrottlingException"),
    Unauthorized: (403, "UnrecognizedClientException"),
}


async def send_text(asked: Asked, desk: Desk) -> SdkAnswer:
    """Catch a text; with DryRun it is only looked at. Raises NotFound for another operation."""
    if asked.headers[TARGET] != SEND:
        raise NotFound(f"The operation {asked.headers[TARGET][:80]!r} is not caught by smscatch.")
    to, text = parse_recipient(asked.text(FIELDS["to"])), str(asked.fields.get(FIELDS["text"]) or "")
    if not text:
        raise BadSend.missing("text")
    if len(text) > MAX_TEXT:
        raise BadSend("The text is longer than 1600 characters.", field="text", is_missing=False)
    identity = asked.text(FIELDS["sender"]) or UNNAMED
    sender = identity if _RESOURCE.fullmatch(identity) else parse_sender(identity)
    sent = desk.prepare(Outgoing(to, sender, text))
    if asked.fields.get("DryRun") is not True:
        await desk.keep(sent)
    return SdkAnswer({"MessageId": str(uuid.UUID(sent.id))}, media_type=JSON)


def refuse_text(error: SmscatchError, asked: Asked) -> SdkAnswer:
    """Answer as the service does: an SDK makes the error whose name stands in `__type`."""
    refusals = (refused for kind, refused in REFUSED.items() if isinstance(error, kind))
    status, name = next(refusals, (error.status, "InternalServerException"))
    told: dict[str, Any] = {"Message": "The security token included in the request is invalid."}
    if isinstance(error, Unauthorized) and not asked.headers.get("authorization"):
        name, told = "MissingAuthenticationTokenException", {"Message": "Missing Authentication Token"}
    elif "code" in error.details and isinstance(error, Unauthorized):
        name, told = "InvalidSignatureException", {"Message": str(error)}
    elif isinstance(error, BadSend):
        field, is_missing = error.reason
        told = {"Message": str(error), "Reason": "MISSING_PARAMETER" if is_missing else "INVALID_PARAMETER"}
        told["Fields"] = [{"Name": FIELDS.get(field, field), "Message": str(error)}]
    elif not isinstance(error, Unauthorized):
        told = {"Message": str(error)}
    return SdkAnswer({"__type": name, **told}, status, JSON)
