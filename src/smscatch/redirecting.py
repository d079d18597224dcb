"""How an application's SDK is pointed at our server instead of its provider: the base URL, and the line to write.

What the SDKs do with it was tried; one that ignores its base URL stands in docs/catching.md, not here. No network.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from smscatch.errors import BadRequest

MIN_HOOK_KEY = 24  # bytes of a key that Supabase takes for a secret


class Redirect(NamedTuple):
    """The line that points an SDK, `sdk`, at {url}; {key} is a key of ours with the scope send.

    {place} is the URL without its scheme, for an SDK that puts https in front by itself; `plain` is what must follow
    then where the server speaks plain HTTP. {quoted} is the key as it stands in an address, {secret} as it signs
    webhooks.
    """

    sdk: str
    line: str
    plain: str = ""

    def written(self, url: str, key: str) -> str:
        """Return the line, ready to be pasted."""
        line = self.line + (self.plain if url.startswith("http:") else "")
        forms = {"place": url.partition("://")[2], "quoted": quote(key, safe=""), "secret": _written_secret(key)}
        return line.format(url=url, key=key, **forms)


class BaseUrl(NamedTuple):
    """The base URL of a provider's send API, behind our own address, and the lines for its SDKs."""

    path: str
    redirects: Sequence[Redirect]


TARGETS: Mapping[str, BaseUrl] = {
    "twilio": BaseUrl(
        "/twilio",
        (
            Redirect(
                "Python twilio",
                'client = Client("AC" + "0" * 32, "{key}"); client.api.base_url = client.verify.base_url = "{url}"',
            ),
            Redirect(
                "npm twilio",
                'client = twilio("AC" + "0".repeat(32), "{key}"); client.api.baseUrl = client.verify.baseUrl = "{url}"',
            ),
        ),
    ),
    "sinch": BaseUrl(
        "/sinch",
        (
            Redirect(
                "Python sinch, a service plan",
                'client = SinchClient(service_plan_id="any", sms_api_token="{key}");'
                ' client.configuration.sms_origin_with_service_plan_id = "{url}"',
            ),
            # A region that is set later puts the origin back.
            Redirect(
                "Python sinch, a project",
                'client = SinchClient(project_id="any", key_id="any", key_secret="{key}");'
                ' client.configuration.sms_origin = client.configuration.auth_origin = "{url}"',
            ),
        ),
    ),
    "smsgate": BaseUrl(
        "/smsgate",
        (Redirect("Python android-sms-gateway", 'APIClient("any", "{key}", base_url="{url}")'),),
    ),
    "sns": BaseUrl(
        "/sns",
        (
            # The region is any; the id of the access key and the secret are both the key.
            Redirect(
                "Python boto3",
                'sns = boto3.client("sns", region_name="us-east-1", endpoint_url="{url}", aws_access_key_id="{key}",'
                ' aws_secret_access_key="{key}")',
            ),
            Redirect(
                "npm @aws-sdk/client-sns",
                'sns = new SNSClient({{region: "us-east-1", endpoint: "{url}",'
                ' credentials: {{accessKeyId: "{key}", secretAccessKey: "{key}"}}}})',
            ),
            Redirect(
                "SNS in any language, by variables",
                "export AWS_ENDPOINT_URL_SNS={url} AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={key}",
            ),
        ),
    ),
    "supabase": BaseUrl(
        "/supabase",
        (
            Redirect(
                "Supabase, config.toml under [auth]",
                'hook.send_sms = {{ enabled = true, uri = "{url}/{quoted}", secrets = "{secret}" }}',
            ),
            Redirect(
                "Supabase Auth by itself",
                "GOTRUE_HOOK_SEND_SMS_ENABLED=true GOTRUE_HOOK_SEND_SMS_URI={url}/{quoted}"
                " GOTRUE_HOOK_SEND_SMS_SECRETS={secret}",
            ),
        ),
    ),
    "plain": BaseUrl(
        "/plain",
        (
            Redirect(
                "anything without an SDK",
                'curl -H "Authorization: Bearer {key}" {url}'
                """ -d '{{"to": "+12015550123", "text": "Your code is 1234"}}'""",
            ),
        ),
    ),
    "telnyx": BaseUrl(
        "/telnyx/v2",
        (
            Redirect("Python telnyx", 'client = Telnyx(api_key="{key}", base_url="{url}")'),
            Redirect("npm telnyx", 'client = new Telnyx({{apiKey: "{key}", baseURL: "{url}"}})'),
        ),
    ),
    "plivo": BaseUrl(
        "/plivo/v1/Account",
        (
            # A client's own base_uri is set back at each request.
            Redirect("Python plivo", 'plivo.rest.client.PLIVO_API_BASE_URI = "{url}"; RestClient(AUTH_ID, "{key}")'),
            Redirect("npm plivo", 'new plivo.Client(AUTH_ID, "{key}", {{url: "{url}/" + AUTH_ID}})'),
        ),
    ),
    "messagebird": BaseUrl(
        "/messagebird/",  # without the slash at its end the SDK for Python leaves the path out
        (Redirect("Python messagebird", 'Client("{key}", http_client=HttpClient("{url}", "{key}", "app"))'),),
    ),
    "vonage": BaseUrl(
        "/vonage",
        (
            Redirect(
                "Python vonage",
                'client = Vonage(Auth("app", "{key}"), HttpClientOptions(api_host="{place}", rest_host="{place}"))',
                # It knows https alone; what a session of requests calls for credentials may change the address too.
                "; client.http_client._session.auth = "
                'lambda asked: setattr(asked, "url", asked.url.replace("https:", "http:", 1)) or asked',
            ),
            Redirect(
                "npm @vonage/server-sdk",
                'new Vonage({{apiKey: "app", apiSecret: "{key}"}}, {{restHost: "{url}", apiHost: "{url}"}})',
            ),
        ),
    ),
}


SMPP = "smpp"


class SmppTarget(NamedTuple):
    """Where an application binds that sends by SMPP, and with what, None if that is not told.

    `url` is smpp://HOST:PORT, or with ssmpp:// if it is encrypted (TLS).
    """

    url: str
    system_id: str | None
    password: str | None


def smpp_scheme(*, tls: bool) -> str:
    """Return how a URL begins where applications bind, encrypted or not, as npm's smpp has it."""
    return "ssmpp" if tls else "smpp"


def smpp_url(server: str, port: int, *, tls: bool = False) -> str:
    """Return where applications are caught that send by SMPP, on the host of a server's URL."""
    host, scheme = urlsplit(server).hostname or "", smpp_scheme(tls=tls)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def smpp_lines(url: str, system_id: str, password: str) -> list[str]:
    """Return a line for each client of SMPP, ready to be pasted; those that speak TLS, if the URL is of it."""
    parts = urlsplit(url)
    place, both = f'"{parts.hostname}", {parts.port}', f'"{system_id}", "{password}"'
    named = f'system_id="{system_id}", password="{password}"'
    lines = [
        f"by SMPP: bind at {url} with the system_id {system_id} and the password {password}",
        f'npm smpp: session = smpp.connect({{url: "{url}"}}); session.bind_transceiver({{{named.replace("=", ": ")}}})',
    ]
    if parts.scheme == smpp_scheme(tls=True):
        return lines
    return [
        *lines,
        f"Python smpplib: client = smpplib.client.Client({place}); client.connect(); client.bind_transceiver({named})",
        f"Python aiosmpplib: ESME({place}, {both})",
    ]


def send_url(server: str, provider: str) -> str:
    """Return the base URL of a provider's API at our server. Raises BadRequest for a provider that is not caught."""
    return f"{server}{_target(provider).path}"


def redirect_lines(server: str, key: str, provider: str) -> list[str]:
    """Return a line for each SDK of a provider, ready to be pasted, behind the SDK's name."""
    return [f"{sdk}: {line}" for sdk, line in redirects(server, key, provider)]


def redirects(server: str, key: str, provider: str) -> list[tuple[str, str]]:
    """Return the name of each SDK of a provider with its line."""
    url = send_url(server, provider)
    return [(each.sdk, each.written(url, key)) for each in _target(provider).redirects]


def hook_secret(key: str) -> str:
    """Return the secret with which Supabase signs what it sends here: the key, in the form of Standard Webhooks.

    https://github.com/standard-webhooks/standard-webhooks/ has the form; Supabase takes keys of 24 to 66 bytes.
    """
    return f"v1,whsec_{base64.b64encode(key.encode()).decode()}"


def _written_secret(key: str) -> str:
    """Return the secret for a line; in words for what is no key, but stands in its place on a page."""
    return hook_secret(key) if len(key) >= MIN_HOOK_KEY else "v1,whsec_BASE64_OF_THE_KEY"


def _target(provider: str) -> BaseUrl:
    if provider not in TARGETS:
        raise BadRequest(f"There is no send API of {provider[:40]!r} here; there are: {', '.join(TARGETS)}.")
    return TARGETS[provider]
