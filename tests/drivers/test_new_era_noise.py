"""Bytes cut anywhere mean the same; damaged bytes never raise and never become a reading."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clampctl.core.commands import Role, SetRate, StopPump
from clampctl.core.events import LinkTroubled, PumpReported, PumpState
from drivers.link import Expected
from drivers.pumps.new_era import NewEra

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


def insulin() -> NewEra:
    return NewEra(Expected(Role.INSULIN, "NE", diameter_um=26_590, watchdog_s=5))


def session(peer: Any, script: Any, data: Any) -> list[Any]:
    """Opening, polls, a rate, a stop, with an unsolicited alarm; replies cut where `data` says."""
    talk = script("safe")
    told = peer(insulin(), talk.insulin())
    if data is not None:
        marks = data.draw(st.lists(st.integers(0, 40), max_size=4))
        told.pieces = lambda reply: [
            reply[a:b] for a, b in zip([0, *sorted(marks)], [*sorted(marks), 99], strict=True)
        ]
    told.open().run()
    told.add(talk.ask("RAT", "S7.400MH"), talk.ask("DIS", "A?S"), talk.ask("RAT", "S10.10MH"))
    told.add(talk.ask("DIS", "SI12.34W0.000ML"), talk.ask("RAT", "Z"), talk.ask("RAT", "S33.60MH"))
    told.run()
    told.order(SetRate(Role.INSULIN, 9000, 1), StopPump(Role.INSULIN, 1)).add(talk.ask("STP", "S?NA"))
    told.run()
    return list(told.events)


@SHARED
@given(st.data())
def test_a_session_cut_anywhere_gives_the_same_events(peer: Any, script: Any, data: Any) -> None:
    whole = session(peer, script, None)
    assert session(peer, script, data) == whole
    assert any(isinstance(event, PumpReported) for event in whole)


@SHARED
@given(flips=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 7)), min_size=1, max_size=12))
def test_a_flipped_bit_never_becomes_a_reading(
    peer: Any, script: Any, wire: Any, flips: list[tuple[int, int]]
) -> None:
    told = peer(insulin(), script("safe").adopt()).open()
    told.run()
    link, now_ms = told.link, told.now_ms
    for position, bit in flips:
        now_ms = link.wake_at()
        link.wake(now_ms)
        asked_rate = b"RAT" in link.take_output()
        reply = bytearray(wire.safe("00I120.0MH" if asked_rate else "00II12.34W0.000ML"))
        reply[position % len(reply)] ^= 1 << bit
        events = link.receive(bytes(reply), now_ms + 5)
        assert all(isinstance(event, LinkTroubled) for event in events)


@SHARED
@given(
    pieces=st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 1500)), max_size=25), basic=st.booleans()
)
def test_noise_never_raises_and_starts_nothing(peer: Any, script: Any, pieces: Any, basic: bool) -> None:
    link = NewEra(Expected(Role.DEXTROSE, "NE", diameter_um=26_590)) if basic else insulin()
    told = peer(link, script("basic" if basic else "safe").adopt()).open()
    told.run()
    now_ms = told.now_ms
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        events = link.receive(noise, now_ms) + link.wake(now_ms)
        assert not any(
            isinstance(event, PumpReported) and event.state is PumpState.RUNNING for event in events
        )
        assert b"RUN" not in link.take_output()
        assert link.wake_at() is not None


@SHARED
@given(pieces=st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 3000)), max_size=25))
def test_noise_on_opening_identifies_nobody(pieces: list[tuple[bytes, int]]) -> None:
    link = insulin()
    link.opened(1, 0)
    now_ms = 0
    for noise, pause_ms in pieces:
        now_ms += pause_ms
        events = link.receive(noise, now_ms) + link.wake(now_ms)
        assert all(isinstance(event, LinkTroubled) for event in events)
