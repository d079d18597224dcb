"""Whether a store that keeps a million messages answers as soon as one that keeps a thousand.

scripts/benchmark growth [--short]: in SQLite; with a million it takes some minutes and 1 GB of /tmp.
"""

import asyncio
import tempfile

from benchmarks.beside import Row, options, report
from benchmarks.stores import LINE, RARE, Ask, fill, lease_and_release, medians_ms

from smscatch.messages import Query
from smscatch.sources import join_parts
from smscatch.stores import Store, open_store


def questions(store: Store, count: int) -> dict[str, Ask]:
    """Return what is asked of both."""
    return {
        "newest 50 of a line": lambda: store.newest(Query(lines=(LINE,)), 50),
        "what came behind a cursor": lambda: store.after(Query(), count - 2, 50),
        "a rare text of 6 characters": lambda: store.newest(Query(contains=RARE), 50),
        "a lease and its release": lambda: lease_and_release(store),
    }


async def filled(path: str, count: int) -> Store:
    """Return a store with so many messages, indexed."""
    store = await open_store(f"sqlite:///{path}", join_parts)
    await fill(store, count)
    await store.close()  # it waits for its index of trigrams
    return await open_store(f"sqlite:///{path}", join_parts)


async def measure(folder: str, few: int, many: int, rounds: int) -> list[Row]:
    """Return a comparison of each question."""
    small, large = await filled(f"{folder}/few.db", few), await filled(f"{folder}/many.db", many)
    asked = zip(questions(small, few).items(), questions(large, many).values(), strict=True)
    rows = []
    for (what, little), much in asked:
        pairs = [await medians_ms(much, little) for _ in range(rounds)]
        rows.append(Row(f"{what}: {many:,} messages beside {few:,}", "ms", *zip(*pairs, strict=True)))
    await small.close()
    await large.close()
    return rows


def main() -> None:
    """Measure and print."""
    given = options(__doc__)
    many, rounds = (20_000, 3) if given.is_short else (1_000_000, 5)
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(measure(folder, 1_000, many, rounds))
    report("growth", rows, writes=given.writes)


if __name__ == "__main__":
    main()
