"""What a pump's motor has moved, in whole numbers, so that no rate is ever rounded in the sum."""

PPM = 1_000_000
_PER_NL = 3_600_000  # nL·ms/h in one nL
_PER_UL = 1_000 * _PER_NL * PPM  # nL·ms/h·ppm in one µL


class Plunger:
    """Two exact integrals over time: what the pump counts and what truly leaves the syringe.

    `flow_nl_h` is the flow the pump believes in, in nL/h, negative when withdrawing; `true_ppm` is the true
    share of it. `capacity_ul` is what the syringe or bag holds, None when it never ends.
    """

    def __init__(self, now_ms: int, capacity_ul: int | None = None) -> None:
        self.flow_nl_h = 0
        self._true_ppm = PPM
        self._settled_ms = now_ms
        self._infused = 0
        self._withdrawn = 0
        self._travelled = 0
        self._delivered = 0
        self._empty_at = None if capacity_ul is None else capacity_ul * _PER_UL

    def turn(self, flow_nl_h: int, now_ms: int) -> None:
        """Changes the flow from this moment on."""
        self.settle(now_ms)
        self.flow_nl_h = flow_nl_h

    def deliver(self, true_ppm: int, now_ms: int) -> None:
        """Changes, from this moment on, the share of the counted flow that is truly delivered."""
        self.settle(now_ms)
        self._true_ppm = true_ppm

    def settle(self, now_ms: int) -> None:
        """Brings both integrals up to this moment."""
        moved = self.flow_nl_h * (now_ms - self._settled_ms)
        self._settled_ms = now_ms
        if moved >= 0:
            self._infused += moved
        else:
            self._withdrawn -= moved
        self._travelled += abs(moved)
        self._delivered += moved * self._true_ppm

    @property
    def delivered_ul(self) -> float:
        """True volume out of the syringe at the moment last settled, µL."""
        return self._delivered / _PER_UL

    @property
    def true_flow_ul_h(self) -> int:
        """True flow, µL/h, to the nearest whole one."""
        return (self.flow_nl_h * self._true_ppm + 500 * PPM) // (1_000 * PPM)

    @property
    def infused_nl(self) -> int:
        """The pump's own count of infused volume, whole nL, at the moment last settled."""
        return self._infused // _PER_NL

    @property
    def withdrawn_nl(self) -> int:
        """The pump's own count of withdrawn volume, whole nL, at the moment last settled."""
        return self._withdrawn // _PER_NL

    def count_infused(self, nl: int) -> None:
        """Sets the pump's count of infused volume; what was truly delivered stays."""
        self._infused = nl * _PER_NL

    def count_withdrawn(self, nl: int) -> None:
        """Sets the pump's count of withdrawn volume; what was truly delivered stays."""
        self._withdrawn = nl * _PER_NL

    def refill(self, capacity_ul: int | None) -> None:
        """Puts in a full syringe or bag; call when settled."""
        self._empty_at = None if capacity_ul is None else self._delivered + capacity_ul * _PER_UL

    @property
    def travelled(self) -> int:
        """All that was ever counted, both ways, in nL·ms/h: a mark to measure a target volume from."""
        return self._travelled

    def passes_ms(self, mark: int, nl: int) -> int | None:
        """The first whole ms by which so many nL have been counted since the mark; None when never."""
        if self.flow_nl_h == 0:
            return None
        left = max(mark + nl * _PER_NL - self._travelled, 0)
        return self._settled_ms - (-left // abs(self.flow_nl_h))

    def empty_at_ms(self) -> int | None:
        """The last whole ms before more would leave than there is; None when that never comes."""
        leaving = self.flow_nl_h * self._true_ppm
        if self._empty_at is None or leaving <= 0:
            return None
        return self._settled_ms + max(self._empty_at - self._delivered, 0) // leaving
