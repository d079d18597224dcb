"""What a program called, counted: which hosts were caught, which refused, which let through. No contents."""

from collections import Counter, defaultdict
from collections.abc import Callable

NO_API = "an SMS provider for which smscatch has no send API"
DISTRUSTED = "the program does not trust our certificate, so nothing was sent"
SILENT = "connected, and left without a request: it may not trust our certificate"
UNREACHABLE = "cannot be reached"
HINTS = {
    401: "401 is for a key that is not the catcher's",
    404: "404 is for what the server does not know, or cannot do in the provider's place",
    502: "502 is for a server that did not answer",
}
ReportHost = Callable[[str, str, str], None]  # takes what CalledHost has: host, outcome, reason


def _report_nothing(host: str, outcome: str, reason: str) -> None:
    """Nobody wants to know."""


class Tally:
    """How often what happened, by host. `report_host` is told of each host that was not caught."""

    def __init__(self) -> None:
        self.report_host: ReportHost = _report_nothing
        self._answers: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._refused: Counter[tuple[str, str]] = Counter()
        self._passed: Counter[str] = Counter()

    def caught(self, host: str, status: int) -> None:
        """Note a request to a provider that our server answered."""
        self._answers[host][status] += 1

    def refused(self, host: str, reason: str) -> None:
        """Note a connection of which nothing came, and why."""
        self._refused[host, reason] += 1
        if host:
            self.report_host(host, "refused", reason)

    def passed(self, host: str) -> None:
        """Note a connection to a host that is no provider's."""
        self._passed[host] += 1
        self.report_host(host, "passed", "")

    @property
    def caught_requests(self) -> int:
        """How many requests were caught."""
        return sum(answers.total() for answers in self._answers.values())

    @property
    def saw_amazon(self) -> bool:
        """Whether a service of Amazon was called that is no provider of SMS."""
        return any(host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")) for host in self._passed)

    def report(self) -> list[str]:
        """Return all of it, a line for each host."""
        return [
            *(_caught_line(host, answers) for host, answers in sorted(self._answers.items())),
            *(f"refused {host}, {_times(count)}: {why}" for (host, why), count in sorted(self._refused.items())),
            *(f"passed through {host}, {_times(count)}" for host, count in sorted(self._passed.items())),
        ]


def _caught_line(host: str, answers: Counter[int]) -> str:
    said = ", ".join(f"{status} {_times(count)}" for status, count in sorted(answers.items()))
    hints = "".join(f"; {hint}" for status, hint in HINTS.items() if status in answers)
    return f"caught {host}, answered {said}{hints}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
