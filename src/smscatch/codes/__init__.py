"""The code reader: the one-time code in an SMS text, why it is the code, and the links.

From the text up: `folding`, `words` (with the table `words.txt`), `senses`, `shapes` and `links`, `scene`, `refusals`
and `claims`, `rules`, `reading`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smscatch.codes.links import find_links
    from smscatch.codes.reading import Candidate, Reading, best_code, describe, find_codes

__all__ = ["Candidate", "Reading", "best_code", "describe", "find_codes", "find_links"]


def __getattr__(name: str) -> Any:
    # Loaded when first used (PEP 562): the tables take a tenth of a second, and a server answers before a text comes.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{'links' if name == 'find_links' else 'reading'}")
    globals()[name] = found = getattr(home, name)
    return found
