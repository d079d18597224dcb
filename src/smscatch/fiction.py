"""Fictitious numbers: those that regulators keep for drama, which nobody has, and ranges that somebody names.

No text can go astray to them. They are what virtual lines have; which one a test is given is decided in virtual.py.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

POOL_NUMBER = "+15005550006"  # stands for the number that a messaging service chose: Twilio's own for tests
# The area codes of the United States, from the list of the North American Numbering Plan Administrator.
_AREA_CODES = (
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 223 224 225 227 228 229 231 234 235 "
    "239 240 248 251 252 253 254 256 260 262 267 269 270 272 274 276 279 281 283 301 302 303 304 305 307 308 309 "
    "310 312 313 314 315 316 317 318 319 320 321 323 324 325 326 327 329 330 331 332 334 336 337 339 341 346 347 "
    "350 351 352 353 360 361 363 364 369 380 385 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 "
    "423 424 425 430 432 434 435 440 442 443 445 447 448 458 463 464 469 470 472 475 478 479 480 484 501 502 503 "
    "504 505 507 508 509 510 512 513 515 516 517 518 520 530 531 534 539 540 541 551 557 559 561 562 563 564 567 "
    "570 571 572 573 574 575 580 582 585 586 601 602 603 605 606 607 608 609 610 612 614 615 616 617 618 619 620 "
    "623 626 628 629 630 631 636 640 641 645 646 650 651 656 657 659 660 661 662 667 669 678 680 681 682 686 689 "
    "701 702 703 704 706 707 708 712 713 714 715 716 717 718 719 720 724 725 726 727 728 730 731 732 734 737 738 "
    "740 743 747 748 754 757 760 762 763 765 769 770 771 772 773 774 775 779 781 785 786 801 802 803 804 805 806 "
    "808 810 812 813 814 815 816 817 818 820 821 826 828 830 831 832 835 838 839 840 843 845 847 848 850 854 856 "
    "857 858 859 860 862 863 864 865 870 872 878 901 903 904 906 907 908 909 910 912 913 914 915 916 917 918 919 "
    "920 925 928 929 930 931 934 936 937 938 940 941 943 945 947 948 949 951 952 954 956 959 970 971 972 973 975 "
    "978 979 980 983 984 985 986 989 "
)
# By country (ISO 3166-1); each x is any digit. Where both are kept, the mobile numbers stand in front.
#
# US  North American Numbering Plan Administrator, "555 Line Numbers": 555-0100 to 555-0199, in each area code.
# GB  Ofcom, "Telephone numbers for use in TV and radio drama programmes", mobile.
# DE  Bundesnetzagentur, "Rufnummern für Medienproduktionen (Drama Numbers)", Mitteilung 148/2021: of the mobile ones
#     the two blocks of a hundred; Berlin, Frankfurt, Hamburg, Köln, München.
# FR  ARCEP, décision 2018-0881 (plan de numérotation), "œuvres audiovisuelles": mobile.
# SE  PTS, "Telefonnummer för användning i böcker och filmer": mobile.
# AU  ACMA, "Phone numbers for use in TV shows, films and creative works": mobile.
DRAMA: Mapping[str, tuple[str, ...]] = {
    "US": tuple(f"+1{code}55501xx" for code in re.findall("[0-9]+", _AREA_CODES)),
    "GB": ("+447700900xxx",),
    "DE": (
        "+4917139200xx",
        "+49176040690xx",
        "+493023125xxx",
        "+496990009xxx",
        "+494066969xxx",
        "+492214710xxx",
        "+498999998xxx",
    ),
    "FR": ("+3363998xxxx",),
    "SE": tuple(f"+46701740{tens}x" for tens in range(61, 70)),
    "AU": (
        *("+61491570006", "+61491570110", "+61491570156", "+61491570157", "+61491570158", "+61491570159"),
        *("+61491570313", "+61491570737", "+61491571266", "+61491571491", "+61491571804", "+61491572549"),
        *("+61491572665", "+61491572983", "+61491573087", "+61491573770", "+61491574118", "+61491574632"),
        *("+61491575254", "+61491575789", "+61491576398", "+61491576801", "+61491577426", "+61491577644"),
    ),
}
_MOST_FREE = 9
_PATTERN = re.compile(rf"\+[1-9](?=[0-9x]{{5,14}}$)[0-9]*x{{0,{_MOST_FREE}}}")  # as long as E.164 has it
FORM = f"of {', '.join(DRAMA)}, and numbers with an x for each digit at the end that is free: +49155501xxxxx"


class Numbers(NamedTuple):
    """Some numbers, called `name`: those of each of `patterns`, in which an x is any digit."""

    name: str
    patterns: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many numbers these are."""
        return sum(_size(pattern) for pattern in self.patterns)

    def number(self, place: int) -> str:
        """Return the number at a place, from 0 on."""
        for pattern in self.patterns:
            if place < _size(pattern):
                free = pattern.count("x")
                return f"{pattern.rstrip('x')}{place:0{free}d}" if free else pattern
            place -= _size(pattern)
        raise IndexError(place)

    def __contains__(self, number: object) -> bool:
        """Return whether a number in E.164 is one of these."""
        patterns, text = _set(self.patterns), str(number)
        return any(text[: len(text) - free] + "x" * free in patterns for free in range(_MOST_FREE + 1))


def _size(pattern: str) -> int:
    size: int = 10 ** pattern.count("x")
    return size


@lru_cache
def _set(patterns: tuple[str, ...]) -> frozenset[str]:
    return frozenset(patterns)


def parse_ranges(written: str) -> tuple[Numbers, ...]:
    """Return the numbers that a setting names, of FORM, with commas between them. Raises ValueError."""
    ranges = tuple(_parse_range(each) for each in _items(written))
    if not ranges:
        raise ValueError(written)
    return ranges


def _items(written: str) -> Iterator[str]:
    return (each.strip() for each in written.split(",") if each.strip())


def _parse_range(written: str) -> Numbers:
    if written.upper() in DRAMA:
        return Numbers(written.upper(), DRAMA[written.upper()])
    pattern = re.sub("[ ()./-]", "", written)
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(written)
    return Numbers(pattern, (pattern,))


def show_ranges(ranges: Sequence[Numbers]) -> str:
    """Return ranges as `parse_ranges` takes them."""
    return ", ".join(each.name for each in ranges)
