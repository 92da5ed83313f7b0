"""What a risk consumer keeps for each symbol: the last quote, the last trade, and how fresh they are."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

# States of md.status in which a symbol's data can't be relied on; the others say that it flows again.
UNRELIABLE = {"stale", "rejected", "shedding"}
RELIABLE = {"live", "acknowledged"}


class RecentIds:
    """The last ids that were seen. A window, never a high-water mark: after a reconnect older trades may come
    behind newer ones, and each of them is new."""

    def __init__(self, size=10_000):
        self._ids = OrderedDict()
        self._size = size

    def is_new(self, trade_id):
        """Whether the id was not seen before; from now on it was."""
        if trade_id in self._ids:
            return False
        self._ids[trade_id] = None
        if len(self._ids) > self._size:
            self._ids.popitem(last=False)
        return True


@dataclass
class Symbol:
    """One symbol of one exchange. Prices and quantities are exact: decimal.Decimal, never a float."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    quote_time: datetime | None = None
    price: Decimal | None = None
    trade_id: str | None = None
    trade_time: datetime | None = None
    trades: int = 0
    duplicates: int = 0
    volume: Decimal = Decimal(0)
    gaps: int = 0
    troubles: dict = field(default_factory=dict)  # channel → why it can't be relied on
    seen: RecentIds = field(default_factory=RecentIds)

    def take_quote(self, quote):
        self.bid, self.ask, self.quote_time = quote["bidPrice"], quote["askPrice"], quote["receiveTime"]

    def take_trade(self, trade, counts):
        """`counts` is False for what a former run has counted: it only fills the window again."""
        if not self.seen.is_new(trade["tradeId"]):
            self.duplicates += counts
            return
        self.price, self.trade_id, self.trade_time = trade["price"], trade["tradeId"], trade["receiveTime"]
        if counts:
            self.trades += 1
            self.volume += trade["quantity"]

    def take_status(self, status, counts):
        if status["state"] == "gap":
            self.gaps += counts
        elif status["state"] in UNRELIABLE:
            self.troubles[status["channel"]] = f"{status['state']}: {status['reason']}"
        elif status["state"] in RELIABLE:
            self.troubles.pop(status["channel"], None)

    def trouble(self, now, stale_after):
        """Why the quote can't be relied on, in a phrase; None when it can."""
        if self.quote_time is None:
            return "no quote yet"
        if "quotes" in self.troubles:
            return self.troubles["quotes"]
        age = (now - self.quote_time).total_seconds()
        return f"quote is {age:.0f} s old" if age > stale_after else None

    def value(self, position):
        """What the position is worth if it were closed at the quote: a long sells at the bid, a short buys at
        the ask. None without that side."""
        price = self.bid if position >= 0 else self.ask
        return None if price is None else position * price
