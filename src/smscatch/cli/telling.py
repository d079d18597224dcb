"""`smscatch config` and `explain`: what is set and why, and what is a code and why."""

import argparse

from smscatch.cli.base import NOTHING, OK, Command
from smscatch.errors import escape_controls
from smscatch.printing import blank_controls
from smscatch.settings import TABLES, load_settings


def run_config(_: argparse.Namespace) -> int:
    """smscatch config."""
    settings = load_settings()
    for name, field, shown in settings.rows():
        origin = settings.origins.get(name, "default")
        print(escape_controls(f"{name} = {shown}") + f"\n    {field.help}; takes {field.form}; from: {origin}")
    for name, table in TABLES.items():
        if not getattr(settings, name):
            print(f"{table.header}: none\n    {table.help}; takes {table.form}")
    return OK


def run_explain(options: argparse.Namespace) -> int:
    """smscatch explain."""
    from smscatch.codes import describe, find_codes  # noqa: PLC0415 - its tables would cost each `wait` 27 ms
    from smscatch.segments import count_segments  # noqa: PLC0415
    from smscatch.segments import describe as describe_segments  # noqa: PLC0415

    reading = find_codes(options.text)
    for line in describe(reading).splitlines():
        print(blank_controls(line))
    print(blank_controls(f"To send it takes {describe_segments(count_segments(options.text))}."))
    return OK if reading.code else NOTHING


def _add_explain_arguments(explain: argparse.ArgumentParser) -> None:
    explain.add_argument("text", metavar="TEXT")


COMMANDS = (
    Command("config", "show every setting, its value and where it came from", run_config),
    Command("explain", "show which code is in a text, and why", run_explain, _add_explain_arguments),
)
