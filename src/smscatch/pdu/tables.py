"""The character tables of 3GPP TS 23.038: default alphabet (6.2.1) and national language tables (annex A).

Data only: how septets are packed, shifted and joined is in alphabets.py.
"""

from collections.abc import Iterable, Mapping

Table = Mapping[int, str]
"""A septet to its character; a septet that is missing is unassigned."""

LANGUAGES = {
    "turkish": 1,
    "spanish": 2,
    "portuguese": 3,
    "bengali": 4,
    "gujarati": 5,
    "hindi": 6,
    "kannada": 7,
    "malayalam": 8,
    "oriya": 9,
    "punjabi": 10,
    "tamil": 11,
    "telugu": 12,
    "urdu": 13,
}
"""National language identifiers (TS 23.038, 6.2.1.2.4); 0 is the default alphabet."""


def _runs(runs: Mapping[int, str]) -> dict[int, str]:
    """Lay each string out from its first septet on."""
    return {start + i: character for start, text in runs.items() for i, character in enumerate(text)}


def _script(cells: Iterable[int], block: int, low_octets: str) -> dict[int, str]:
    """Fill `cells` with the characters of a Unicode block, given by low octet; `--` stays unassigned."""
    octets = low_octets.split()
    return {c: chr(block + int(octet, 16)) for c, octet in zip(cells, octets, strict=False) if octet != "--"}


_DEFAULT = _runs(
    {
        0x00: "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ",  # 0x1B is the escape
        0x1C: "ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?",
        0x40: "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
    }
)
_TURKISH = _DEFAULT | _runs({0x04: "€", 0x07: "ı", 0x0B: "Ğğ", 0x1C: "Şş", 0x40: "İ", 0x60: "ç"})
_PORTUGUESE = _DEFAULT | _runs(
    {0x04: "ê", 0x06: "úíóç", 0x0B: "Ôô", 0x0E: "Áá", 0x12: "ªÇÀ∞^\\€Ó|", 0x1C: "ÂâÊ", 0x24: "º"}
    | {0x40: "Í", 0x5B: "ÃÕÚ", 0x60: "~", 0x7B: "ãõ`"}
)

# The ten tables of A.3.4 to A.3.13 share these characters; the script fills the other 80 septets.
# Corrected misprints of the standard: Kannada 0x24 is U+0CA1 (printed U+0CAA, which is 0x3D), Telugu single shift
# 0x22 and 0x23 are U+0C6C and U+0C6D. AOSP's and Mozilla's tables correct the same ones.
_SHARED = _runs(
    {0x0A: "\n", 0x0D: "\r", 0x20: " !", 0x28: ")(", 0x2C: ",", 0x2E: ".", 0x30: "0123456789:;", 0x3F: "?"}
    | {0x61: "abcdefghijklmnopqrstuvwxyz"}
)
_SCRIPT_CELLS = [septet for septet in range(0x80) if septet != 0x1B and septet not in _SHARED]


def _locking(block: int, low_octets: str) -> Table:
    return _SHARED | _script(_SCRIPT_CELLS, block, low_octets)


LOCKING: Mapping[int, Table] = {
    0: _DEFAULT,
    1: _TURKISH,
    3: _PORTUGUESE,  # there is no Spanish locking shift table: A.3.2 is void
    4: _locking(
        0x0900,
        """81 82 83 85 86 87 88 89 8A 8B 8C -- -- 8F 90 -- -- 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F A0
        A1 A2 A3 A4 A5 A6 A7 A8 -- AA AB AC AD AE AF B0 -- B2 -- -- -- B6 B7 B8 B9 BC BD BE BF C0 C1
        C2 C3 C4 -- -- C7 C8 -- -- CB CC CD CE D7 DC DD F0 F1""",
    ),
    5: _locking(
        0x0A00,
        """81 82 83 85 86 87 88 89 8A 8B 8C 8D -- 8F 90 91 -- 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F A0
        A1 A2 A3 A4 A5 A6 A7 A8 -- AA AB AC AD AE AF B0 -- B2 B3 -- B5 B6 B7 B8 B9 BC BD BE BF C0 C1
        C2 C3 C4 C5 -- C7 C8 C9 -- CB CC CD D0 E0 E1 E2 E3 F1""",
    ),
    6: _locking(
        0x0900,
        """01 02 03 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F 20
        21 22 23 24 25 26 27 28 29 2A 2B 2C 2D 2E 2F 30 31 32 33 34 35 36 37 38 39 3C 3D 3E 3F 40 41
        42 43 44 45 46 47 48 49 4A 4B 4C 4D 50 72 7B 7C 7E 7F""",
    ),
    7: _locking(
        0x0C00,
        """-- 82 83 85 86 87 88 89 8A 8B 8C -- 8E 8F 90 -- 92 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F A0
        A1 A2 A3 A4 A5 A6 A7 A8 -- AA AB AC AD AE AF B0 B1 B2 B3 -- B5 B6 B7 B8 B9 BC BD BE BF C0 C1
        C2 C3 C4 -- C6 C7 C8 -- CA CB CC CD D5 D6 E0 E1 E2 E3""",
    ),
    8: _locking(
        0x0D00,
        """-- 02 03 05 06 07 08 09 0A 0B 0C -- 0E 0F 10 -- 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F 20
        21 22 23 24 25 26 27 28 -- 2A 2B 2C 2D 2E 2F 30 31 32 33 34 35 36 37 38 39 -- 3D 3E 3F 40 41
        42 43 44 -- 46 47 48 -- 4A 4B 4C 4D 57 60 61 62 63 79""",
    ),
    9: _locking(
        0x0B00,
        """01 02 03 05 06 07 08 09 0A 0B 0C -- -- 0F 10 -- -- 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F 20
        21 22 23 24 25 26 27 28 -- 2A 2B 2C 2D 2E 2F 30 -- 32 33 -- 35 36 37 38 39 3C 3D 3E 3F 40 41
        42 43 44 -- -- 47 48 -- -- 4B 4C 4D 56 57 60 61 62 63""",
    ),
    10: _locking(
        0x0A00,
        """01 02 03 05 06 07 08 09 0A -- -- -- -- 0F 10 -- -- 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F 20
        21 22 23 24 25 26 27 28 -- 2A 2B 2C 2D 2E 2F 30 -- 32 33 -- 35 36 -- 38 39 3C -- 3E 3F 40 41
        42 -- -- -- -- 47 48 -- -- 4B 4C 4D 51 70 71 72 73 74""",
    ),
    11: _locking(
        0x0B00,
        """-- 82 83 85 86 87 88 89 8A -- -- -- 8E 8F 90 -- 92 93 94 95 -- -- -- 99 9A -- 9C -- 9E 9F --
        -- -- A3 A4 -- -- -- A8 A9 AA -- -- -- AE AF B0 B1 B2 B3 B4 B5 B6 B7 B8 B9 -- -- BE BF C0 C1
        C2 -- -- -- C6 C7 C8 -- CA CB CC CD D0 D7 F0 F1 F2 F9""",
    ),
    12: _locking(
        0x0C00,
        """01 02 03 05 06 07 08 09 0A 0B 0C -- 0E 0F 10 -- 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F 20
        21 22 23 24 25 26 27 28 -- 2A 2B 2C 2D 2E 2F 30 31 32 33 -- 35 36 37 38 39 -- 3D 3E 3F 40 41
        42 43 44 -- 46 47 48 -- 4A 4B 4C 4D 55 56 60 61 62 63""",
    ),
    13: _locking(
        0x0600,
        """27 22 28 7B 80 7E A6 2A C2 7F 79 7D 7A 7C 2B 2C 81 84 83 85 86 87 2D 2E 2F 8C 88 89 8A 8F 8D
        30 31 91 93 99 32 96 98 9A 33 34 35 36 37 38 39 41 42 A9 AA AB AF B3 B1 44 45 46 BA BB BC 48
        C4 D5 C1 BE 21 CC D0 D2 4D 50 4F 57 54 55 51 53 56 70""",
    ),
}
"""Locking shift tables (A.3) by national language identifier; 0 is the default alphabet (6.2.1)."""

_EXTENSION = _runs({0x0A: "\f", 0x14: "^", 0x28: "{}", 0x2F: "\\", 0x3C: "[~]", 0x40: "|", 0x65: "€"})

# What A.2.4 to A.2.13 share; the script fills 0x19 to 0x3F around it.
_SHARED_SINGLE = _EXTENSION | _runs({0x00: "@£$¥¿\"¤%&'\f*+", 0x0E: "-/<=>¡^¡_#*", 0x41: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})
_SINGLE_CELLS = [0x19, 0x1A, *range(0x1C, 0x28), *range(0x2A, 0x2F), *range(0x30, 0x3C), 0x3F]
_DANDAS = {0x19: "\u0964", 0x1A: "\u0965"}


def _single(block: int, low_octets: str, shared: dict[int, str] = _DANDAS) -> Table:
    return _SHARED_SINGLE | shared | _script(_SINGLE_CELLS, block, low_octets)


SINGLE: Mapping[int, Table] = {
    0: _EXTENSION,
    1: _EXTENSION | _runs({0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"}),
    2: _EXTENSION
    | _runs({0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú"}),
    3: _EXTENSION
    | _runs(
        {0x05: "ê", 0x09: "ç", 0x0B: "Ôô", 0x0E: "Áá", 0x12: "ΦΓ", 0x15: "ΩΠΨΣΘ", 0x1F: "Ê", 0x41: "À", 0x49: "Í"}
        | {0x4F: "Ó", 0x55: "Ú", 0x5B: "ÃÕ", 0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ãõ", 0x7F: "â"}
    ),
    4: _single(0x0900, "E6 E7 E8 E9 EA EB EC ED EE EF DF E0 E1 E2 E3 F2 F3 F4 F5 F6 F7 F8 F9 FA"),
    5: _single(0x0A00, "-- -- E6 E7 E8 E9 EA EB EC ED EE EF"),
    6: _single(0x0900, "64 65 66 67 68 69 6A 6B 6C 6D 6E 6F 51 52 53 54 58 59 5A 5B 5C 5D 5E 5F 60 61 62 63 70 71"),
    7: _single(0x0C00, "-- -- E6 E7 E8 E9 EA EB EC ED EE EF DE F1 F2"),
    8: _single(0x0D00, "-- -- 66 67 68 69 6A 6B 6C 6D 6E 6F 70 71 72 73 74 75 7A 7B 7C 7D 7E 7F"),
    9: _single(0x0B00, "-- -- 66 67 68 69 6A 6B 6C 6D 6E 6F 5C 5D 5F 70 71"),
    10: _single(0x0A00, "-- -- 66 67 68 69 6A 6B 6C 6D 6E 6F 59 5A 5B 5C 5E 75"),
    11: _single(0x0B00, "-- -- E6 E7 E8 E9 EA EB EC ED EE EF F3 F4 F5 F6 F7 F8 FA"),
    12: _single(0x0C00, "-- -- 66 67 68 69 6A 6B 6C 6D 6E 6F 58 59 78 79 7A 7B 7C 7D 7E 7F", shared={}),
    13: _single(
        0x0600,
        "00 01 F0 F1 F2 F3 F4 F5 F6 F7 F8 F9 0C 0D 0E 0F 10 11 12 13 14 1B 1F 40 52 58 6B 6C 72 73 CD D4",
    ),
}
"""Single shift tables (A.2) by national language identifier: what an escape makes of the next septet."""
