"""A virtual nurse: draws on time, confirms what she is shown, repeats a doubted sample.

She sees what a window shows and acts as a person at it would; she knows nothing of the subject.
"""

from dataclasses import dataclass

from clampctl.core.events import (
    BasalStarted,
    ClampStarted,
    Event,
    ProposalAsked,
    ProposalConfirmed,
    SampleDrawn,
)

ACTOR = "nurse"
TAPER_EVERY_MS = 10 * 60_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What the screen says now."""

    phase: str
    pumps_ready: bool
    clamp_started_ms: int | None
    newest_sample: str | None
    doubted: bool
    proposal: int | None
    proposal_expires_ms: int | None


class Nurse:
    """One clamp's routine, from set-up to taper, on the protocol's sampling grid."""

    def __init__(self, sampling_ms: int, reaction_ms: int = 20_000, starts_clamp: bool = True) -> None:
        self._sampling_ms = sampling_ms
        self._reaction_ms = reaction_ms
        self._starts_clamp = starts_clamp
        self._next_draw_ms = 0
        self._on_grid = False
        self._tried_with: str | None = None
        self._repeated: str | None = None
        self._reacts_to: tuple[int, int] | None = None

    def look(self, seen: Seen, now_ms: int) -> list[Event]:
        """What she does now; a `SampleDrawn` in the list means that she draws blood, too."""
        match seen.phase:
            case "setup":
                return self._set_up(seen, now_ms)
            case "basal":
                return self._basal(seen, now_ms)
            case "closed":
                return []
            case _:
                return [*self._sampled(seen, now_ms), *self._confirmed(seen, now_ms)]

    def _set_up(self, seen: Seen, now_ms: int) -> list[Event]:
        if not seen.pumps_ready:
            return []
        self._next_draw_ms = now_ms + self._sampling_ms
        return [BasalStarted(ACTOR), SampleDrawn(ACTOR)]

    def _basal(self, seen: Seen, now_ms: int) -> list[Event]:
        """Sample on; with each new value she asks once for the start, which may be refused."""
        if self._starts_clamp and seen.newest_sample not in (None, self._tried_with):
            self._tried_with = seen.newest_sample
            return [ClampStarted(ACTOR)]
        if now_ms >= self._next_draw_ms:
            self._next_draw_ms = now_ms + self._sampling_ms
            return [SampleDrawn(ACTOR)]
        return []

    def _sampled(self, seen: Seen, now_ms: int) -> list[Event]:
        started_ms = seen.clamp_started_ms
        if started_ms is None:
            return []
        if seen.doubted and seen.newest_sample != self._repeated:
            self._repeated = seen.newest_sample
            return [SampleDrawn(ACTOR)]
        if not self._on_grid:
            self._on_grid = True
            done = (now_ms - started_ms + self._sampling_ms - 1) // self._sampling_ms
            self._next_draw_ms = started_ms + done * self._sampling_ms
        if now_ms < self._next_draw_ms:
            return []
        every_ms = TAPER_EVERY_MS if seen.phase == "taper" else self._sampling_ms
        self._next_draw_ms += every_ms
        return [SampleDrawn(ACTOR)]

    def _confirmed(self, seen: Seen, now_ms: int) -> list[Event]:
        if seen.proposal is None:
            return []
        if self._reacts_to is None or self._reacts_to[0] != seen.proposal:
            self._reacts_to = (seen.proposal, now_ms + self._reaction_ms)
        if now_ms < self._reacts_to[1]:
            return []
        self._reacts_to = (seen.proposal, now_ms + self._sampling_ms)
        expires_ms = seen.proposal_expires_ms
        if expires_ms is not None and now_ms > expires_ms:
            return [ProposalAsked(ACTOR)]
        return [ProposalConfirmed(seen.proposal, ACTOR)]
