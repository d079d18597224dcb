"""Receivers, and sinks that send to them at a quick pace."""

from collections.abc import Iterator

import pytest

from tests.sinks.receiver import Receiver, a_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with a_receiver() as made:
        yield made


@pytest.fixture
def other_receiver() -> Iterator[Receiver]:
    with a_receiver() as made:
        yield made
