"""The code reader: the one-time code in an SMS text, why it is the code, and the links.

From the text up: `folding`, `words` (with the table `words.txt`), `senses`, `shapes` and `links`, `scene`, `refusals`
and `claims`, `rules`, `reading`.
"""

from smscatch.codes.links import find_links
from smscatch.codes.reading import Candidate, Reading, best_code, describe, find_codes

__all__ = ["Candidate", "Reading", "best_code", "describe", "find_codes", "find_links"]
