"""The golden Safe frames judge the link: it sends each `>` byte by byte and understands each `<`."""

import re
from typing import Any

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpReported, PumpState, Trouble
from drivers.framing import Frame, Framing, NewEraSplitter, safe_packet
from drivers.link import Expected
from drivers.pumps.new_era import NewEra

NEVER_SENT = {
    "DIA26.59": "the diameter is compared, never set",
    "CLDINF": "the counter is never cleared by the link",
    "(empty)": "the addressed form is preferred",
    "RAT7.4MH": "the link writes 7.400",
    "RAT33.6MH": "the link writes 33.60",
    "RAT10.1MH": "the link writes 10.10",
}


def frames(text: str, mark: str) -> list[tuple[str, bytes]]:
    """(payload in the comment, bytes) of each line with this mark."""
    found = []
    comment = ""
    for line in text.splitlines():
        if line.startswith("# ") and not line.startswith("# =="):
            comment = re.split(r"\s+\[", line[2:])[0]
        elif line.startswith(mark):
            found.append((comment, bytes.fromhex(line[2:])))
    return found


def test_every_frame_is_cut_to_its_comment(wire: Any) -> None:
    told = frames(wire("new_era_safe.txt"), "> ") + frames(wire("new_era_safe.txt"), "< ")
    assert len(told) == 36
    for comment, data in told:
        payload = b"" if comment == "(empty)" else comment.encode()
        assert safe_packet(payload) == data
        splitter = NewEraSplitter()
        splitter.framing = Framing.SAFE
        assert splitter.feed(data, 0) == [Frame(payload, Framing.SAFE)]


def insulin_session(peer: Any, script: Any, address: int, addressed: bool) -> list[bytes]:
    """Open, poll, start, change the rate, stop: every byte string that was sent."""
    talk = script("safe", address, addressed)
    expected = Expected(Role.INSULIN, "NE", address=address, diameter_um=26_590, watchdog_s=10)
    link = NewEra(expected, addressed=addressed)
    told = peer(link, talk.insulin(10)).open()
    told.run()
    told.add(talk.ask("RAT", "S120.0MH"), talk.ask("DIS", "SI12.34W0.000ML")).run()
    told.order(StartPump(Role.INSULIN, 120_000, 1))
    told.add(talk.ask("RAT120.0MH", "S"), talk.ask("RAT", "S120.0MH"), talk.ask("RUN", "I"))
    told.add(talk.ask("", "I"), talk.ask("RAT", "I120.0MH")).run()
    told.order(SetRate(Role.INSULIN, 120_000, 1))
    told.add(talk.ask("RAT120.0", "I"), talk.ask("RAT", "I120.0MH")).run()
    told.order(StopPump(Role.INSULIN, 1))
    told.add(talk.ask("STP", "P"), talk.ask("STP", "S")).run()
    return list(told.sent)


def test_the_link_sends_every_host_frame(peer: Any, script: Any, wire: Any) -> None:
    sent = insulin_session(peer, script, 0, False)
    sent += insulin_session(peer, script, 0, True)
    sent += insulin_session(peer, script, 1, True)
    arming = script("safe", 0, False)
    told = peer(
        NewEra(Expected(Role.INSULIN, "NE", diameter_um=26_590, watchdog_s=5), addressed=False),
        arming.insulin(5),
    ).open()
    told.run()
    sent += told.sent
    talk, plain = script("safe", 0, False), script("basic")
    dextrose = [*talk.probe(), *talk.who(), talk.ask("SAF0", "S"), plain.ask("", "S"), *plain.program()]
    told = peer(NewEra(Expected(Role.DEXTROSE, "NE", diameter_um=26_590), addressed=False), dextrose).open()
    told.run()
    sent += told.sent
    for comment, data in frames(wire("new_era_safe.txt"), "> "):
        assert (data in sent) is (comment not in NEVER_SENT), comment


@pytest.fixture
def adopted(peer: Any, script: Any) -> Any:
    """A running insulin pump, just after its opening."""
    told = peer(
        NewEra(Expected(Role.INSULIN, "NE", diameter_um=26_590, watchdog_s=5)), script("safe").adopt()
    ).open()
    told.run()
    return told


REPORTS: dict[str, tuple[tuple[str, ...], PumpState, int, int | None, str | None]] = {
    "00I120.0MH": (("RAT",), PumpState.RUNNING, 120_000, None, None),
    "00II12.34W0.000ML": (("RAT", "DIS"), PumpState.RUNNING, 120_000, 12_340, None),
    "00A?R": ((), PumpState.ALARM, 0, None, "reset"),
    "00A?S": ((), PumpState.ALARM, 0, None, "stalled"),
    "00A?T": ((), PumpState.ALARM, 0, None, "watchdog"),
}


@pytest.mark.parametrize("comment", REPORTS)
def test_each_reading_and_alarm_is_reported(adopted: Any, script: Any, wire: Any, comment: str) -> None:
    frame = dict(frames(wire("new_era_safe.txt"), "< "))[comment]
    asked, state, rate_ul_h, infused_ul, alarm = REPORTS[comment]
    report = PumpReported(Role.INSULIN, 1, state, rate_ul_h, infused_ul, alarm)
    if not asked:
        assert adopted.hear(frame) == [report]
        return
    talk = script("safe")
    if asked == ("RAT",):
        adopted.order(SetRate(Role.INSULIN, 120_000, 1)).add(talk.ask("RAT120.0", "I"))
        adopted.add((talk.ask("RAT", None)[0], frame))
    else:
        adopted.add(talk.ask("RAT", "I120.0MH"), (talk.ask("DIS", None)[0], frame))
    assert adopted.run() == [report]


@pytest.mark.parametrize(
    ("comment", "state"),
    [("00S", PumpState.STOPPED), ("00I", PumpState.RUNNING), ("00P", PumpState.PAUSED)],
)
def test_each_prompt_is_a_state(adopted: Any, wire: Any, comment: str, state: PumpState) -> None:
    adopted.order(SetRate(Role.INSULIN, 120_000, 1))
    assert adopted.link.take_output() == wire.safe("00RAT120.0")
    assert adopted.hear(dict(frames(wire("new_era_safe.txt"), "< "))[comment]) == []
    assert adopted.link._pump.state is state
    assert adopted.link.take_output() == wire.safe("00RAT")


@pytest.mark.parametrize("comment", ["00S?OOR", "00S?NA"])
def test_each_refusal_is_told(adopted: Any, script: Any, wire: Any, comment: str) -> None:
    frame = dict(frames(wire("new_era_safe.txt"), "< "))[comment]
    talk = script("safe")
    adopted.order(SetRate(Role.INSULIN, 120_000, 1))
    adopted.add((talk.ask("RAT120.0", None)[0], frame), talk.ask("RAT", "S120.0MH"))
    troubled = [event for event in adopted.run() if isinstance(event, LinkTroubled)]
    assert [event.trouble for event in troubled] == [Trouble.REFUSED]
    assert comment[3:] in troubled[0].detail


def test_a_packet_the_pump_found_damaged_is_sent_again(adopted: Any, script: Any, wire: Any) -> None:
    frame = dict(frames(wire("new_era_safe.txt"), "< "))["00S?COM"]
    talk = script("safe")
    adopted.order(SetRate(Role.INSULIN, 120_000, 1)).add((talk.ask("RAT120.0", None)[0], frame))
    adopted.add(talk.ask("RAT120.0", "I"), talk.ask("RAT", "I120.0MH"))
    assert [type(event) for event in adopted.run()] == [LinkTroubled, PumpReported]
