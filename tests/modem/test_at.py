"""The AT conversation with a modem that says exactly what the test wants, when it wants it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from smscatch.modem.at import LATER_OPTIONAL_SECONDS, Conversation
from smscatch.modem.dialects import DIALECTS, STANDARD, find_dialect, find_tries
from smscatch.modem.said import Announced, News, find_plain, find_value, split_values
from smscatch.modem.trouble import NoAnswer, PortMissing, Refused
from smscatch.modem.waiting import Sleep
from tests.patience import PATIENCE_SECONDS

IN_STEP = {"AT": ["OK"], "AT+CMEE?": ["+CMEE: 1", "OK"]}


async def turns(seconds: float) -> None:
    """Sleep on a clock of the event loop's turns, which no other program can slow down: 20 are a second."""
    for _ in range(max(1, round(20 * seconds))):
        await asyncio.sleep(0)


class Script:
    """The port of a modem that answers each command with the lines written for it, and notes what it was asked.

    Each answer is a list of lines; a command that has none stays without an answer.
    """

    device = "the port of the script"

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self.answers = IN_STEP | answers
        self.asked: list[str] = []
        self._typed = b""
        self._on_bytes: Callable[[bytes], None] = lambda _: None
        self._on_lost: Callable[[], None] = lambda: None

    def listen(self, on_bytes: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self._on_bytes, self._on_lost = on_bytes, on_lost

    def write(self, data: bytes) -> None:
        *commands, self._typed = (self._typed + data).split(b"\r")
        for command in commands:
            asked = command.decode().lstrip("\x1b")
            self.asked.append(asked)
            self.say(*self.answers.get(asked, []))

    def say(self, *lines: str) -> None:
        said = "".join(f"\r\n{line}\r\n" for line in lines).encode("latin-1")
        asyncio.get_running_loop().call_soon(self._on_bytes, said)

    def pull_out(self) -> None:
        asyncio.get_running_loop().call_soon(self._on_lost)

    def set_speed(self, speed: int) -> None:
        """Have but one."""

    def close(self) -> None:
        """Have nothing to let go of."""


@asynccontextmanager
async def talking(
    answers: dict[str, list[str]], limits: dict[str, float] | None = None, sleep: Sleep = turns
) -> AsyncGenerator[tuple[Conversation, Script, News]]:
    script, news = Script(answers), News()
    talk = Conversation(script, news, sleep=sleep, limits=limits if limits is not None else {})
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield talk, script, news
    talk.close()


async def test_an_answer_is_the_lines_before_ok() -> None:
    async with talking({"AT+CSQ": ["+CSQ: 17,99", "OK"]}) as (talk, script, _):
        assert await talk.ask("AT+CSQ") == ["+CSQ: 17,99"]
        assert await talk.ask("AT+CSQ") == ["+CSQ: 17,99"]
    assert script.asked == ["AT", "AT+CMEE?", "AT+CSQ", "AT+CSQ"]


@pytest.mark.parametrize(
    ("result", "kind", "number"),
    [
        ("ERROR", "", None),
        ("COMMAND NOT SUPPORT", "", None),
        ("+CME ERROR: 10", "CME", 10),
        ("+CMS ERROR: 321", "CMS", 321),
        ("+CME ERROR: SIM PIN required", "CME", 11),
        ("+CME ERROR: ²", "CME", None),
    ],
)
async def test_an_error_says_what_was_refused(result: str, kind: str, number: int | None) -> None:
    async with talking({"AT+CPMS?": [result]}) as (talk, _, _):
        with pytest.raises(Refused, match=r"answers AT\+CPMS with") as refused:
            await talk.ask("AT+CPMS?")
    assert (refused.value.kind, refused.value.number) == (kind, number)


async def test_a_pin_is_in_no_error() -> None:
    async with talking({'AT+CPIN="1234"': ["+CME ERROR: 16"]}) as (talk, _, _):
        with pytest.raises(Refused) as refused:
            await talk.ask('AT+CPIN="1234"')
        with pytest.raises(NoAnswer) as silent:
            await talk.ask('AT+CPIN="5678"')
    assert "1234" not in str(refused.value)
    assert "5678" not in str(silent.value)


async def test_news_amid_an_answer_are_news() -> None:
    answer = ["^RSSI: 17", "+CMGL: 0,0,,3", '+CMTI: "SM",4', "00AA", '+CDSI: "SM",5', "+CMT: ,9", "OK"]
    async with talking({"AT+CMGL=4": answer}) as (talk, _, news):
        assert await talk.ask("AT+CMGL=4") == ["^RSSI: 17", "+CMGL: 0,0,,3", "00AA"]
        assert news.announced == [Announced("SM", 4), Announced("SM", 5)]
        assert await talk.is_news_within(0)


async def test_a_late_answer_is_not_taken_for_that_of_the_next_command() -> None:
    limits: dict[str, float] = {}
    async with talking({"AT+CMGD=1": ["OK"]}, limits) as (talk, script, _):
        with pytest.raises(NoAnswer, match=r"did not answer AT\+CMGL in 5 s"):
            await talk.ask("AT+CMGL=4")
        # It comes just before the answer to AT, which asks whether the modem is there.
        script.answers["AT"] = ["+CMGL: 0,0,,3", "00AA", "OK", "OK"]
        script.answers["AT+CMGD=1"] = ["+CMS ERROR: 500"]
        with pytest.raises(Refused):
            await talk.ask("AT+CMGD=1")
    assert limits == {"AT+CMGL": 10.0}  # slow, not silent: it gets more time


async def test_a_silent_command_gets_no_more_time() -> None:
    limits: dict[str, float] = {}
    async with talking({"AT+CSQ": ["OK"]}, limits) as (talk, _, _):
        with pytest.raises(NoAnswer):
            await talk.ask("AT+CMGL=4")
        await talk.ask("AT+CSQ")
    assert limits == {}


async def test_an_answer_that_nobody_asked_for_makes_sure_of_the_next() -> None:
    async with talking({"AT+CSQ": ["OK"]}) as (talk, script, _):
        await talk.ask("AT+CSQ")
        script.say("OK")
        await turns(1)
        await talk.ask("AT+CSQ")
    assert script.asked == ["AT", "AT+CMEE?", "AT+CSQ"] * 2


async def test_a_silent_modem_is_told_apart_from_a_silent_command() -> None:
    async with talking({"AT": []}) as (talk, _, _):
        with pytest.raises(NoAnswer, match="does not answer at all"):
            await talk.ask("AT+CSQ")


async def test_a_command_that_may_take_long_has_its_time_also_beside_mute_ones() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await turns(seconds)

    async with talking({}, sleep=sleep) as (talk, _, _):
        for command in ("AT+CSQ", "AT+CREG?", "AT+CPMS?"):
            assert await talk.try_asking(command) is None
        assert await talk.try_asking("AT+COPS?", 9.0) is None
    assert LATER_OPTIONAL_SECONDS in waited
    assert 9.0 in waited


async def test_a_modem_without_the_usual_fence_is_talked_to_as_well() -> None:
    async with talking({"AT+CMEE?": ["ERROR"], "AT+CSQ": ["OK"]}) as (talk, _, _):
        await talk.ask("AT+CSQ")


async def test_an_echo_after_ate0_betrays_a_reset() -> None:
    async with talking({"ATE0": ["ATE0", "OK"], "AT+CSQ": ["OK"]}) as (talk, script, _):
        await talk.ask("ATE0")
        await talk.ask("AT+CSQ")
        assert not talk.was_reset
        script.answers["AT+CSQ"] = ["AT+CSQ", "OK"]
        await talk.ask("AT+CSQ")
        assert talk.was_reset
        await talk.ask("ATE0")
        assert not talk.was_reset


async def test_a_long_answer_has_time_as_long_as_it_goes_on() -> None:
    async with talking({}) as (talk, script, _):

        async def recite() -> None:
            for _ in range(10):
                await turns(1)  # more than the 5 s of a silent modem in all, far less than that each
                script.say("+CMGL: 0,0,,3")
            script.say("OK")

        reciting = asyncio.create_task(recite())
        assert len(await talk.ask("AT+CMGL=4")) == 10
        await reciting


async def test_a_lost_port_ends_whatever_waits() -> None:
    async with talking({}) as (talk, script, _):
        asking = asyncio.create_task(talk.ask("AT+CSQ"))
        await turns(1)
        script.pull_out()
        with pytest.raises(PortMissing, match="pulled out"):
            await asking
        with pytest.raises(PortMissing):
            await talk.ask("AT+CSQ")
        with pytest.raises(PortMissing):
            await talk.is_news_within(3600)


async def test_a_lost_port_is_noticed_while_nothing_is_asked() -> None:
    async with talking({}) as (talk, script, _):
        waiting = asyncio.create_task(talk.is_news_within(3600))
        await asyncio.sleep(0)
        script.pull_out()
        with pytest.raises(PortMissing):
            await waiting


def test_values_are_split_outside_quotation_marks() -> None:
    assert split_values('0,0,"Test, PLMN",2') == ["0", "0", "Test, PLMN", "2"]
    assert split_values(None) == []
    assert find_value(["^RSSI: 9", "+CSQ: 17,99"], "+CSQ") == "17,99"
    assert find_plain(["^RSSI: 9", " E173"]) == "E173"


@pytest.mark.parametrize(
    ("maker", "name", "answer", "tries"),
    [
        ("huawei", "Huawei", "^CPIN: SIM PIN,3,10,2,10,3", 2),
        ("huawei", "Huawei", "^CPIN: READY,,10,3,10,3", 3),
        ("ZTE CORPORATION", "ZTE", "+ZPINPUK: 1,10", 1),
        ("Quectel", "Quectel", '+QPINC: "SC",2,10', 2),
        ("SIMCOM_Ltd", "SIMCom", "+SPIC: 3,10,0,10", 3),
        ("Cinterion", "Siemens", "^SPIC: 2", 2),
        ("SIEMENS", "Siemens", "^SPIC: 3", 3),
        ("Somebody", "standard", "+CPINR: SIM PIN,2,3", 2),
        ("Somebody", "standard", "+CPINR: SIM PUK,2,10", None),
    ],
)
def test_each_make_tells_its_tries_in_its_own_way(maker: str, name: str, answer: str, tries: int | None) -> None:
    dialect = find_dialect(maker)
    assert dialect in (*DIALECTS, STANDARD)
    assert dialect.name == name
    assert find_tries(dialect, ["^RSSI: 9", answer]) == tries
