"""Where messages are sent to, by the `kind` that stands in the settings. A sink's module is loaded only if it is used.

A sink is one module with a function `make_send(settings) -> Send`, and one line in KINDS. The queue in front of them
is in runner.py.
"""

import importlib
from collections.abc import Mapping

from smscatch.errors import BadSetting
from smscatch.settings import Settings
from smscatch.sinks.base import Sink

KINDS: Mapping[str, str] = {
    "emulator": "smscatch.sinks.emulator",
    "json": "smscatch.sinks.json_post",
}

__all__ = ["KINDS", "Sink", "open_sinks"]


def open_sinks(settings: Settings) -> list[Sink]:
    """Return the sinks that are configured. Raises BadSetting for a kind that there is not."""
    sinks = []
    for name, configured in settings.sinks.items():
        if configured.kind not in KINDS:
            kinds = ", ".join(KINDS)
            raise BadSetting(f"{settings.config}: sinks.{name}: there is no kind {configured.kind!r}. Kinds: {kinds}.")
        module = importlib.import_module(KINDS[configured.kind])
        sinks.append(Sink(name, configured.lines or None, module.make_send(configured)))
    return sinks
