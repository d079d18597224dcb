"""Snippets are safe to paste, whatever names stand in them."""

import ast
import subprocess

import pytest

from smscatch.web.pages.lines import snippets_for
from smscatch.web.pages.quoting import quote_javascript, quote_python, quote_shell

EVIL = (
    "+447700900001",
    "$(touch /tmp/x) `id` $HOME",
    'it\'s "quoted" \\ back',
    '"); import os; os.system("id") #',
    "`${process.env.SMSCATCH_KEY}`",
    "line\nend\r\u2028and\x1b[201~\x07\x9b",
    "{braces} %s Ünal 😀 \u202e",
)


@pytest.mark.parametrize("text", EVIL)
def test_a_shell_reads_the_word_that_was_meant(text: str) -> None:
    script = f"printf %s {quote_shell(text)}"
    assert script.isprintable()
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert done.stdout.decode() == text


@pytest.mark.parametrize("text", EVIL)
def test_python_reads_the_string_that_was_meant(text: str) -> None:
    literal = quote_python(text)
    assert literal.isprintable()
    assert ast.literal_eval(literal) == text


@pytest.mark.parametrize("text", EVIL)
def test_javascript_has_one_string_without_anything_that_ends_it(text: str) -> None:
    literal = quote_javascript(text)
    assert literal.isprintable()
    inside = literal[1:-1].replace("\\\\", "").replace('\\"', "")
    assert (literal[0], literal[-1], '"' in inside, inside.endswith("\\")) == ('"', '"', False, False)


@pytest.mark.parametrize("text", EVIL)
def test_every_snippet_of_a_line_is_what_it_would_be_for_a_plain_one(text: str) -> None:
    url = "http://pi.local:7672"
    python, test = (snippet.code for snippet in snippets_for(text, url) if snippet.name in ("python", "pytest"))
    calls = [node for node in ast.walk(ast.parse(python)) if isinstance(node, ast.keyword) and node.arg == "line"]
    calls += [node for node in ast.walk(ast.parse(test)) if isinstance(node, ast.keyword) and node.arg == "line"]
    assert [ast.literal_eval(node.value) for node in calls] == [text, text]
    assert all(line.isprintable() for snippet in snippets_for(text, url) for line in snippet.code.split("\n"))
