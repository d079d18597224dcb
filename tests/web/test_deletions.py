"""Deletions reach whoever watches, and cost no memory if nobody takes them."""

from smscatch.web.deletions import MANY, MAX_WAITING, Deletions


def test_all_who_watch_are_told() -> None:
    deletions = Deletions()
    watchers = [deletions.watch(), deletions.watch()]
    deletions.tell("m1")
    assert [watcher.get_nowait() for watcher in watchers] == ["m1", "m1"]


def test_a_watcher_that_does_not_keep_up_is_told_to_look_anew() -> None:
    deletions = Deletions()
    slow, quick = deletions.watch(), deletions.watch()
    for number in range(MAX_WAITING + 1):
        deletions.tell(f"m{number}")
        assert quick.get_nowait() == f"m{number}"
    assert (slow.qsize(), slow.get_nowait()) == (1, MANY)


def test_a_watcher_that_is_gone_is_forgotten() -> None:
    deletions = Deletions()
    watcher = deletions.watch()
    del watcher
    assert len(deletions._watchers) == 0
