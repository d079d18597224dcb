"""An opt-out is what a handset last replied, in each store; the reply belongs to no lease, whoever has the line."""

from datetime import timedelta

from smscatch.messages import NOBODY, Query
from smscatch.optouts import is_opted_out
from smscatch.sources.reply import RepliedText, read_reply, write_reply
from smscatch.stores import Delivery, Store, Wish
from smscatch.webhooks import Keywords
from tests.samples import LINE, NOON, a_delivery

NUMBER, OTHER = "+15005550006", "+15005550010"
WORDS = Keywords(frozenset({"stop"}), frozenset({"start"}))


async def reply(store: Store, *texts: str, to: str = NUMBER) -> None:
    for place, text in enumerate(texts):
        name = f"{to} {text} {place}"
        body = write_reply(RepliedText(name=name, provider="twilio", line=LINE, to=to, text=text, received_at=NOON))
        await store.add([Delivery(message, body) for message in read_reply(body, "", str)])


async def test_the_newest_word_to_a_number_says_whether_texts_are_wanted(store: Store) -> None:
    await store.add([a_delivery(text="stop"), a_delivery(sender=LINE, text="stop")])
    await reply(store, "hello", "STOP", "stop it please")
    await reply(store, "start", to=OTHER)
    assert [await is_opted_out(store, LINE, to, WORDS) for to in (NUMBER, NUMBER[1:], OTHER)] == [True, True, False]
    assert not await is_opted_out(store, LINE, NUMBER, Keywords())
    await reply(store, " Start ")
    assert not await is_opted_out(store, LINE, NUMBER, WORDS)


async def test_a_reply_belongs_to_no_lease_of_its_line(store: Store) -> None:
    wish = Wish(ticket="t", key="k", lines=(LINE,), ttl=timedelta(hours=1))
    ((lease,), *_) = (await store.claim([wish], NOON, NOON))[0]
    await reply(store, "STOP")
    (kept,) = await store.newest(Query(lease=NOBODY), 10)
    assert (kept.message.lease, kept.message.to) == (NOBODY, NUMBER)
    for query in (Query(lease=""), Query(lease=lease.id)):
        assert await store.newest(query, 10) == []
        assert not query.matches(kept.message)
