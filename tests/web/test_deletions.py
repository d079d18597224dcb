"""Deletions reach whoever watches, and cost no memory if nobody takes them."""

from smscatch.deletions import MANY, MAX_WAITING, Deletions


def test_all_who_watch_are_told() -> None:
    deletions = Deletions()
    watchers = [deletions.watch(), deletions.watch()]
    deletions.tell("m1", "+1")
    assert [watcher.get_nowait() for watcher in watchers] == ["m1", "m1"]


def test_a_watcher_that_does_not_keep_up_is_told_to_look_anew() -> None:
    deletions = Deletions()
    slow, quick = deletions.watch(), deletions.watch()
    for number in range(MAX_WAITING + 1):
        deletions.tell(f"m{number}", "+1")
        assert quick.get_nowait() == f"m{number}"
    assert (slow.qsize(), slow.get_nowait()) == (1, MANY)


def test_a_watcher_that_is_gone_is_forgotten() -> None:
    deletions = Deletions()
    watcher = deletions.watch()
    del watcher
    assert len(deletions._watchers) == 0


def test_who_sees_some_lines_only_hears_of_those_only() -> None:
    deletions = Deletions()
    one, both = deletions.watch(("+1",)), deletions.watch()
    deletions.tell("m1", "+1")
    deletions.tell("m2", "+2")
    assert (one.qsize(), one.get_nowait()) == (1, "m1")
    assert [both.get_nowait(), both.get_nowait()] == ["m1", "m2"]


def test_all_are_told_that_many_are_gone() -> None:
    deletions = Deletions()
    watchers = [deletions.watch(("+1",)), deletions.watch()]
    deletions.tell_many()
    assert [watcher.get_nowait() for watcher in watchers] == [MANY, MANY]
