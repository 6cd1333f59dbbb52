"""Orders that wait for a pump's turn: which replaces which, and what a stop does to them.

One rule for every pump link. Not here: how a pump is told, and when its turn is.
"""

from typing import assert_never

from clampctl.core.commands import Command, SetRate, StartPump, StopPump


class Waiting:
    """What a pump is to do and was not told yet, in order.

    A newer rate replaces an older one but not the start before it; a start replaces everything, and so
    does a stop, which comes before all else. Rate 0 is a stop (pumps 10.3 rule 11).
    """

    def __init__(self) -> None:
        self._orders: list[SetRate | StartPump] = []
        self._stop: Command | None = None

    @property
    def stop(self) -> bool:
        """Whether a stop waits."""
        return self._stop is not None

    @property
    def orders(self) -> bool:
        """Whether a start or a rate waits."""
        return bool(self._orders)

    def add(self, command: Command) -> None:
        """Let an order wait, in place of those it makes void."""
        match command:
            case StopPump() | SetRate(rate_ul_h=0) | StartPump(rate_ul_h=0):
                self._orders.clear()
                self._stop = command
            case SetRate():
                self._orders = [order for order in self._orders if isinstance(order, StartPump)]
                self._orders.append(command)
            case StartPump():
                self._orders = [command]
            case _:
                assert_never(command)

    def stop_taken(self) -> None:
        """The stop is on its way."""
        self._stop = None

    def take(self) -> SetRate | StartPump:
        """The next start or rate; it waits no longer. Raises IndexError where there is none."""
        return self._orders.pop(0)

    def drop_all(self) -> list[Command]:
        """Nothing waits any more; gives what did, the stop last."""
        dropped: list[Command] = [*self._orders]
        if self._stop is not None:
            dropped.append(self._stop)
        self._orders, self._stop = [], None
        return dropped
