"""The pages' templates as HTML. Loaded with the first page: a server that is only asked by programs needs no Jinja2."""

from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from smscatch.times import format_time
from smscatch.web import pages, static_files

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Return a template's HTML."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals["static"] = static_files.address()
    environment.filters["time"] = format_time
    environment.filters["spans"] = pages.docs.mark_code
    environment.filters["clock"] = lambda time: f"{time:%Y-%m-%d %H:%M} UTC"  # for readers without our scripts
    return environment
