"""How many SMS a text takes, in which encoding, and which characters are to blame. Whoever sends pays for each."""

from collections.abc import Callable, Iterable

from smscatch.messages import Costly, Segments

# Octets of a short message: 140 (3GPP TS 23.040, 9.2.3.16 and 9.2.3.24.1), of which six are the header of a part.
GSM_ALONE, GSM_PART = 160, 153  # septets
UCS2_ALONE, UCS2_PART = 70, 67  # units of 16 bits
MOST_COSTLY = 20  # characters that are named


def count_segments(text: str) -> Segments:
    """Return what it takes to send a text: in the GSM alphabet if all its characters are in it, else in UCS-2.

    No character is cut in two, so a part may be one unit shorter than it could be: an escape stays with its septet
    (3GPP TS 23.040, 9.2.3.24.1), the halves of a surrogate pair with each other. National shift tables are not tried:
    no provider uses them unless asked to.
    """
    find_septets = _find_septets()
    plain = find_septets(text)
    if plain is not None and len(plain) <= GSM_ALONE:  # most are
        return Segments("GSM-7", 1, len(plain))
    costly = [Costly(character, place) for place, character in enumerate(text, 1) if find_septets(character) is None]
    if costly:
        sizes = [len(character.encode("utf-16-be", "surrogatepass")) // 2 for character in text]
        parts = _pack(sizes, UCS2_ALONE, UCS2_PART)
        without = _gsm_parts(character for character in text if find_septets(character) is not None)
        return Segments("UCS-2", parts, sum(sizes), costly=tuple(costly[:MOST_COSTLY]), parts_in_gsm=without)
    return Segments("GSM-7", _gsm_parts(text), sum(_septets(text)))


def _gsm_parts(text: Iterable[str]) -> int:
    return _pack(_septets(text), GSM_ALONE, GSM_PART)


def _septets(text: Iterable[str]) -> list[int]:
    find_septets = _find_septets()
    return [len(find_septets(character) or b"?") for character in text]


def _find_septets() -> Callable[[str], bytes | None]:
    from smscatch.pdu.alphabets import find_septets  # noqa: PLC0415 - a start need not wait for its tables

    return find_septets


def _pack(sizes: list[int], alone: int, part: int) -> int:
    """Return how many parts characters of these sizes take: one of `alone`, or several of `part` units."""
    if sum(sizes) <= alone:
        return 1
    parts, room = 1, part
    for size in sizes:
        if size > room:
            parts, room = parts + 1, part
        room -= size
    return parts


def describe(segments: Segments) -> str:
    """Return what a text takes, in half a sentence: 2 segments of UCS-2 instead of 1 because of ’ at 17."""
    count = f"{segments.count} segment{'' if segments.count == 1 else 's'}"
    if not segments.costly:
        return f"{count} of {segments.encoding}"
    named = ", ".join(f"{each.character} at {each.place}" for each in segments.costly[:3])
    more = " and more" if len(segments.costly) > 3 else ""
    saved = "" if segments.count <= segments.parts_in_gsm else f" instead of {segments.parts_in_gsm}"
    return f"{count} of {segments.encoding}{saved} because of {named}{more}"
