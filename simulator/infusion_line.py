"""Between pump and vein: what a pump pushes into its line, and how much of the drug comes out of it.

The pump knows nothing of it: its counter goes on. Doses are µL of what the label says, so that a bag
of twice the strength gives two for each µL. Nothing is made or lost: what entered was given, was
spilled, or is still inside.
"""

from collections import deque
from enum import StrEnum

from simulator.devices.device import PumpDevice
from simulator.devices.fault import Fault, FaultKind

STALL = Fault(FaultKind.STALL)
"""What a pump notices of a closed line: that its plunger stands."""


class LineFault(StrEnum):
    """What can be wrong with a line, or with the bag or syringe behind it.

    Sources: models sheet, section 10, unless named. Sizes are in µL or in percent.
    """

    UNPRIMED = "unprimed"
    """A new line of so many µL, full of what is no drug, as of now. 1 to 3 mL of tubing [A] are 4 to 45 min
    of insulin [C]; the catheter adds 0.2 to 0.5 mL [A]."""

    COMPLIANCE = "compliance"
    """Stopper and line take up so many µL before anything flows. Syringes give 9e-9 to 2.1e-8 L/Pa [S
    Snijder 2015, doi:10.1515/bmt-2014-0148]: 0.09 to 0.21 mL at 10 kPa of friction and height [A]. Flows
    back when it ends."""

    OCCLUDED = "occluded"
    """Nothing comes out, so many µL are stored, then the plunger stands: 0.9 to 2.1 mL at a limit of
    100 kPa [C]. When it ends all of it comes at once. The alarm takes up to 117 min at low flow [S
    Snijder]."""

    LEAK = "leak"
    """So many percent of what comes out end on the floor; 100 is a line that came off [A]."""

    STRENGTH = "strength"
    """What leaves the bag or syringe has so many percent of the strength on its label: 50 % dextrose taken
    for 20 % is 250, ten times the insulin 1000 (safety sheet H7, H8)."""

    EMPTY = "empty"
    """Air comes from the bag or syringe. No syringe pump sees it; it only counts (safety sheet H41) [A]."""


class Line:
    """One pump's line, from bag or syringe to the vein; plug flow [A]. Primed and stiff as it begins."""

    def __init__(self, pump: PumpDevice) -> None:
        self.entered_ul = self.given_ul = self.spilled_ul = 0.0
        self._pump = pump
        self._delivered_ul = pump.delivered_ul
        self._contents: deque[tuple[float, float]] = deque()
        self._held_ul = self._drawn_back_ul = 0.0
        self._there: dict[LineFault, float] = {}
        self._stalled = False

    @property
    def inside_ul(self) -> float:
        """The dose that is still in the line."""
        return sum(volume_ul * strength for volume_ul, strength in self._contents)

    @property
    def held_ul(self) -> float:
        """The volume under pressure."""
        return self._held_ul

    def befall(self, fault: LineFault, size: float) -> None:
        """A fault begins, or changes its size."""
        if fault is LineFault.UNPRIMED:
            self.spilled_ul += self.inside_ul
            self._contents = deque([(size, 0.0)])
            self._held_ul = 0.0
        else:
            self._there[fault] = size

    def mend(self, fault: LineFault, now_ms: int) -> None:
        """A fault ends; a pump that stood for it can move again, but nobody starts it."""
        self._there.pop(fault, None)
        if fault is LineFault.OCCLUDED and self._stalled:
            self._stalled = False
            self._pump.clear(FaultKind.STALL, now_ms)

    def advance(self, now_ms: int) -> float:
        """The dose in µL that reached the vein since the last time."""
        self._pump.advance(now_ms)
        delivered_ul = self._pump.delivered_ul
        flowed_ul = self._flowed_ul(delivered_ul - self._delivered_ul, now_ms)
        self._delivered_ul = delivered_ul
        dose_ul = self._out(flowed_ul)
        spilled_ul = dose_ul * self._there.get(LineFault.LEAK, 0.0) / 100.0
        self.spilled_ul += spilled_ul
        self.given_ul += dose_ul - spilled_ul
        return dose_ul - spilled_ul

    def _flowed_ul(self, moved_ul: float, now_ms: int) -> float:
        """The volume that comes out while the plunger moves so far; the rest is held back.

        What was drawn back is pushed in again before anything else enters.
        """
        pushed_ul = moved_ul - self._drawn_back_ul
        self._drawn_back_ul = max(0.0, -pushed_ul)
        pushed_ul = max(0.0, pushed_ul)
        self._in(pushed_ul)
        held_ul = self._held_ul + pushed_ul
        limit_ul = self._there.get(LineFault.OCCLUDED)
        if limit_ul is None:
            self._held_ul = min(held_ul, self._there.get(LineFault.COMPLIANCE, 0.0))
            return held_ul - self._held_ul
        self._held_ul = held_ul
        if held_ul >= limit_ul and not self._stalled:
            self._stalled = True
            self._pump.inject(STALL, now_ms)
        return 0.0

    def _in(self, volume_ul: float) -> None:
        """Into the line at the pump's end."""
        there = self._there
        strength = 0.0 if LineFault.EMPTY in there else there.get(LineFault.STRENGTH, 100.0) / 100.0
        if volume_ul > 0.0:
            self._contents.append((volume_ul, strength))
            self.entered_ul += volume_ul * strength

    def _out(self, volume_ul: float) -> float:
        """The dose in so much from the vein's end."""
        dose_ul = 0.0
        while volume_ul > 0.0 and self._contents:
            first_ul, strength = self._contents.popleft()
            out_ul = min(first_ul, volume_ul)
            volume_ul -= out_ul
            dose_ul += out_ul * strength
            if first_ul > out_ul:
                self._contents.appendleft((first_ul - out_ul, strength))
        return dose_ul
