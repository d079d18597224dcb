"""The recipes of docs/phones.md and docs/signed.md, as they are printed there, against a real server."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import plain
from tests.conftest import ADMIN_KEY, Server
from tests.patience import PATIENCE_SECONDS
from tests.samples import LINE

DOCS = Path(__file__).parent.parent / "docs"
PLACEHOLDERS = {
    "sender": re.compile(r"%sender|\{lv=sender\}|\[Sender\]|%from%|\[from\]"),
    "text": re.compile(r"%text%|%text|\{lv=text\}|\[Content\]|\[org_content\]"),
    "stamp": re.compile(r"%sentStamp%"),
}
TEXT = 'Your "Example" code\nis 482913 & 1+1=2 – café 🙂'
RECIPES = re.findall(
    r"^## ([^\n]*)\n(?:(?!^## ).)*?^```http\n(.*?)^```$", (DOCS / "phones.md").read_text(), re.M | re.S
)
SECRET = "at least sixteen characters"


def printed(heading: str, language: str) -> str:
    _, _, section = (DOCS / "signed.md").read_text().partition(f"## {heading}\n")
    found = re.search(rf"^```{language}\n(.*?)^```$", section, re.M | re.S)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "smscatch.toml").write_text(printed("Something of your own", "toml"))
    server = Server(folder).start(SMSCATCH_CONFIG=str(folder / "smscatch.toml"))
    yield server
    server.stop()


def newest(server: Server, contains: str) -> dict[str, str]:
    asked = {"line": LINE, "contains": contains, "limit": "1"}
    answer = plain.get(
        f"{server.url}/api/v1/messages",
        params=asked,
        headers={"authorization": f"Bearer {ADMIN_KEY}"},
        timeout=PATIENCE_SECONDS,
    )
    found: dict[str, str] = answer.json()["messages"][0]
    return found


@pytest.mark.parametrize(("app", "recipe"), RECIPES, ids=[app for app, _ in RECIPES])
def test_a_recipe_for_a_phone_brings_its_text_whole(server: Server, app: str, recipe: str) -> None:
    head, _, body = recipe.partition("\n\n")
    address, *lines = head.replace("KEY", ADMIN_KEY).splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    text = f"{TEXT} by {app}"
    is_form = "form" in headers["Content-Type"]
    for name, value in (("text", text), ("sender", "+447700900123"), ("stamp", "1795348798000")):
        escaped = quote(value) if is_form else json.dumps(value, ensure_ascii=False)[1:-1]
        body = PLACEHOLDERS[name].sub(escaped.replace("\\", "\\\\"), body)
    method, url = address.split()
    sent = plain.request(
        method,
        url.replace("https://sms.example", server.url),
        headers=headers,
        content=body.rstrip("\n").encode(),
        timeout=PATIENCE_SECONDS,
    )
    assert sent.status_code == 200, sent.text
    found = newest(server, f"by {app}")
    assert (found["line"], found["sender"], found["text"], found["code"]) == (LINE, "+447700900123", text, "482913")


def test_the_page_has_a_recipe_for_each_app() -> None:
    assert [app for app, _ in RECIPES] == [
        "Tasker",
        "MacroDroid",
        "iOS Shortcuts",
        "Incoming SMS to URL forwarder",
        "SmsForwarder",
    ]


def test_a_gateway_of_ones_own_signs_with_openssl_in_a_shell(server: Server) -> None:
    environ = {"PATH": os.environ["PATH"], "SECRET": SECRET, "SMSCATCH_URL": server.url}
    script = printed("Something of your own", "sh")
    done = subprocess.run(
        ["sh", "-euc", script], env=environ, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    assert newest(server, "Your code is 482913")["source"] == "signed"
