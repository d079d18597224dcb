"""What every kind of sink does, from its table in smscatch.toml on. A new kind needs a way here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from smscatch.messages import Stored, encode_message
from smscatch.settings import load_settings
from smscatch.sinks import KINDS, Sink, open_sinks
from smscatch.sinks.base import PASSING, TAKEN
from tests.samples import a_message
from tests.sinks.adb import FakeAdb, heard
from tests.sinks.receiver import Answer, Receiver

TEXT = 'it\'s "482913"\n€ \U0001f600 \\'


class Way(NamedTuple):
    """How a kind is set, what its receiver got, and how that is made to fail for a while."""

    table: str
    texts: Callable[[], list[str]]
    fail: Callable[[], None]


def json_way(receiver: Receiver, _: Path) -> Way:
    table = f'url = "{receiver.url}"\nallow_private = true'
    return Way(table, lambda: receiver.texts, lambda: receiver.answers.append(Answer(503)))


def emulator_way(_: Receiver, folder: Path) -> Way:
    adb = FakeAdb(folder)
    return Way(
        f'adb = "{adb.path}"', lambda: [heard(call[-1]) for call in adb.calls], lambda: adb.does("echo $*; exit 1")
    )


WAYS: Mapping[str, Callable[[Receiver, Path], Way]] = {"emulator": emulator_way, "json": json_way}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def way(kind: str, receiver: Receiver, tmp_path: Path) -> Way:
    return WAYS[kind](receiver, tmp_path)


@pytest.fixture
def sink(kind: str, way: Way, tmp_path: Path) -> Sink:
    config = tmp_path / "smscatch.toml"
    config.write_text(f'[sinks.it]\nkind = "{kind}"\n{way.table}\n')
    (sink,) = open_sinks(load_settings(environ={"SMSCATCH_CONFIG": str(config)}))
    return sink


def stored() -> Stored:
    return Stored(1, encode_message(a_message(text=TEXT)))


async def test_a_text_arrives_whole(sink: Sink, way: Way) -> None:
    assert (await sink.send(stored())).verdict == TAKEN
    assert way.texts() == [TEXT]


async def test_what_fails_for_a_while_is_tried_again_and_nothing_of_the_text_is_told(sink: Sink, way: Way) -> None:
    way.fail()
    result = await sink.send(stored())
    assert (result.verdict, bool(result.reason)) == (PASSING, True)
    assert "482913" not in result.reason
