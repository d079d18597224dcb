"""The catcher's key in the place of a program's own: a call that is missed is refused by the provider, and is free.

In the variables that the providers' packages read, or that their documentation gives names to.
"""

from collections.abc import Mapping

# Account names are no secrets, and a program may compare them with what it is sent. These are in the form that packages
# insist on: Twilio's begin with AC, Plivo's with MA, of 20 characters.
NAMES: Mapping[str, str] = {
    "TWILIO_ACCOUNT_SID": "AC" + 32 * "0",
    "PLIVO_AUTH_ID": "MA" + 18 * "0",
}
# Amazon's are for all of its services, so a program may need to keep them. The id is a key of ours too.
AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# What the packages read by themselves. If a program has none of all that are here, it is given these.
READ_BY_PACKAGES = ("TWILIO_AUTH_TOKEN", "PLIVO_AUTH_TOKEN", "TELNYX_API_KEY", *AWS[:2])
SECRETS = (
    *READ_BY_PACKAGES,
    *AWS[2:],
    "TWILIO_API_SECRET",
    "TWILIO_API_KEY_SECRET",
    "VONAGE_API_SECRET",
    "VONAGE_SIGNATURE_SECRET",
    "VONAGE_APPLICATION_ID",  # of a JWT nothing else travels
    "NEXMO_API_SECRET",
    "NEXMO_SIGNATURE_SECRET",
    "NEXMO_APPLICATION_ID",
    "MESSAGEBIRD_API_KEY",
    "MESSAGEBIRD_ACCESS_KEY",
    "SINCH_API_TOKEN",
    "SINCH_SERVICE_PLAN_TOKEN",
    "SINCH_KEY_SECRET",
    "SINCH_ACCESS_KEY_SECRET",
    "SMSGATE_PASSWORD",
)
# Names that are the only thing to travel where a request is signed with these secrets.
SIGNED: Mapping[str, str] = {"VONAGE_SIGNATURE_SECRET": "VONAGE_API_KEY", "NEXMO_SIGNATURE_SECRET": "NEXMO_API_KEY"}


def with_key(before: Mapping[str, str], key: str, *, keeps_aws: bool = False) -> dict[str, str]:
    """Return the variables that change: each secret that is set; if none is, those that packages read by themselves.

    `keeps_aws`: those of Amazon are not among them.
    """
    changing = [name for name in SECRETS if not (keeps_aws and name in AWS)]
    own = [name for name in changing if name in before]
    secrets = own or [name for name in READ_BY_PACKAGES if name in changing]
    travelling = [name for secret, name in SIGNED.items() if secret in secrets]
    names = {} if own else {name: value for name, value in NAMES.items() if not before.get(name)}
    return dict.fromkeys([*secrets, *travelling], key) | names
