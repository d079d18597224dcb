"""The PDUs that a modem hands over without storing them: a header, and behind it a line (+CMT; TS 27.005, 3.4.1)."""

from smscatch.modem.said import Forward, News, find_forward, find_name, find_result, may_be_pdu

# How many lines may come between +CMT and its PDU.
_MAX_BETWEEN = 8


class Forwards:
    """What is handed over, line by line, put into `news`. A line of noise may come between a header and its PDU."""

    def __init__(self, news: News) -> None:
        self._news = news
        self._header: Forward | None = None
        self._between: list[str] = []

    def takes(self, line: str) -> bool:
        """Return whether a line is a header or its PDU, and take it if so."""
        if self._header and self._is_pdu(self._header, line):
            self._header = None
            return True
        header = find_forward(line)
        if header is None:
            return False
        self.give_up()
        self._header, self._between = header, []
        return True

    def _is_pdu(self, header: Forward, line: str) -> bool:
        """Take a line behind a header if it is its PDU, or is none but the last that could be."""
        if not (header.announces(line) or may_be_pdu(line)):
            if find_name(line) is None and find_result(line, is_verbose=True) is None:
                self._between.append(line)
            if len(self._between) >= _MAX_BETWEEN:
                self.give_up()
            return False
        if header.kind != "CBM":  # a cell broadcast is nobody's message
            self._news.forwarded.append(line)
            self._news.arrived.set()
        return True

    def give_up(self) -> None:
        """Take what came behind a header for its PDU though it is none; if nothing did, a text was lost."""
        if self._header and self._header.kind != "CBM":
            self._news.forwarded += self._between[:1]
            self._news.lost += not self._between
            self._news.arrived.set()
        self._header = None
