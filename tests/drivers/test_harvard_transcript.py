"""The Harvard transcripts judge the links: every reply, cut anywhere, means one thing."""

import pytest

from clampctl.core.commands import Role, StartPump, StopPump
from clampctl.core.events import LinkTroubled, PumpIdentified, PumpReported, PumpState
from drivers.framing import Damage
from drivers.link import Expected
from drivers.pumps.harvard_22 import Harvard22
from drivers.pumps.harvard_22_text import MODELS, TwentyTwoSplitter
from drivers.pumps.harvard_talk import Reply, Splitter
from drivers.pumps.harvard_ultra import HarvardUltra
from drivers.pumps.harvard_ultra_text import QUIET_MS, UltraSplitter
from tests.drivers.harvard_teller import Answer, Group, Pieces, Teller, cut_at, groups, small, whole

ULTRA = list(groups("harvard_ultra.txt"))
TWENTY_TWO = list(groups("harvard_22.txt"))


def split(splitter: Splitter, data: bytes, pieces: Pieces) -> Reply:
    found = [one for piece in pieces(data) for one in splitter.feed(piece, 0)]
    (reply,) = found + splitter.quiet(QUIET_MS)
    assert not isinstance(reply, Damage)
    assert not splitter.half
    return reply


def meant(reply: Reply) -> tuple[tuple[str, ...], str, int | None]:
    return reply.lines, reply.state.value, reply.address


ULTRA_MEANS = {
    "@poll on": ((), "stopped", None),
    "@irate 199.49 ul/min": ((), "stopped", None),
    "@irate": (("199.49 ul/min",), "stopped", None),
    "@irate lim": (("25.0404 nl/min to 26.0035 ml/min",), "stopped", None),
    "@irun": ((), "running", None),
    "@ivolume": (("1.69023 ul",), "running", None),
    "@stp": ((), "stopped", None),
    "@civolume": ((), "stopped", None),
    "@diameter 7.262": ((), "stopped", None),
    "@diameter": (("7.2620 mm",), "stopped", None),
    "@syrmanu HOSHI 200 ml": (("Argument error: 200", "Unknown syringe"), "stopped", None),
    "@addr 2": (("Pump address set to 2",), "stopped", 2),
}


@pytest.mark.parametrize("group", ULTRA, ids=lambda group: group.sent.decode().strip())
def test_each_ultra_reply_means_one_thing_however_it_is_cut(group: Group) -> None:
    assert len(ULTRA) == len(ULTRA_MEANS)
    expected = ULTRA_MEANS[group.sent.decode().strip()]
    for pieces in [*map(cut_at, range(len(group.reply) + 1)), *map(small, range(7))]:
        for data in (group.reply, group.reply.rstrip(b"\x11"), group.sent + group.reply):
            splitter = UltraSplitter()
            splitter.expect(group.sent.decode().strip())
            reply = split(splitter, data, pieces)
            assert meant(reply) == expected
            assert (reply.error is not None) is ("error" in " ".join(reply.lines))


def test_two_replies_at_once_are_two() -> None:
    splitter = UltraSplitter()
    found = splitter.feed(b"".join(group.reply for group in ULTRA), 0)
    assert [meant(one) for one in found if isinstance(one, Reply)] == list(ULTRA_MEANS.values())


@pytest.mark.parametrize("group", TWENTY_TWO, ids=lambda group: group.pump + group.sent.decode().strip())
def test_each_22_reply_means_one_thing_however_it_is_cut(group: Group) -> None:
    model = MODELS[group.pump.partition(",")[0]]
    message, _, prompt = group.reply.decode().strip("\n").rpartition("\n")
    states = {":": "stopped", ">": "running", "*": model.star[0].value}
    lines = (message.strip(),) if message else ()
    for pieces in [*map(cut_at, range(len(group.reply) + 1)), *map(small, range(7))]:
        reply = split(TwentyTwoSplitter(model), group.reply, pieces)
        assert meant(reply) == (lines, states[prompt[-1]], int(prompt[:2]))
        assert (reply.error is not None) is (message.strip() in ("?", "NA", "OOR"))


# --- a session out of recorded bytes ---------------------------------------------------------

SILENT_FACTS = {
    b"@ver\r\n": b"\n11 ELITE I/W Single 3.0.6\r\n:\x11",
    b"@version\r\n": b"\nFirmware:      v3.0.6\r\nPump address:  0\r\nSerial number: D101754\r\n:\x11",
    b"@tvolume\r\n": b"\nTarget volume not set\r\n:\x11",
    b"@ttime\r\n": b"\nTarget time not set\r\n:\x11",
    b"@nvram none\r\n": b"\n:\x11",
}

NEVER_SENT = {
    "@irate 199.49 ul/min": "no whole number of µL/h",
    "@civolume": "the counter is never cleared by the link",
    "@diameter 7.262": "the diameter is compared, never set",
    "@syrmanu HOSHI 200 ml": "no syringe is ever chosen by the link",
    "@addr 2": "the address is never set",
}


def ultra_session(pieces: Pieces) -> Teller:
    """Open, poll, start, stop a pump that answers as recorded; rate and volume read in words."""
    recorded = {group.sent: group.reply for group in ULTRA}
    stopped = {b"@ivolume\r\n": b"\n1.69023 ul\r\n:\x11", b"@irate 20.0166 ul/min\r\n": b"\n:\x11"}
    link = HarvardUltra(Expected(Role.DEXTROSE, model="11 ELITE", diameter_um=7262), read_by="rate")
    told = Teller(link, {**SILENT_FACTS, **recorded, **stopped}, pieces).open()
    told.run(2900)
    set_now, runs = b"\n20.0166 ul/min\r\n:\x11", b"\n20.0166 ul/min\r\n>\x11"
    told.answers[b"@irate\r\n"] = [set_now, runs]
    told.answers[b"@ivolume\r\n"] = [recorded[b"@ivolume\r\n"]]
    told.order(StartPump(Role.DEXTROSE, 1201, 1)).run(3000)
    told.answers[b"@irate\r\n"] = [recorded[b"@irate\r\n"]]
    told.answers[b"@ivolume\r\n"] = [stopped[b"@ivolume\r\n"]]
    told.order(StopPump(Role.DEXTROSE, 1)).run(3000)
    return told


def test_the_link_sends_each_recorded_command_it_may_send_and_no_other() -> None:
    told = ultra_session(whole)
    for group in ULTRA:
        name = group.sent.decode().strip()
        assert (group.sent in told.sent) is (name not in NEVER_SENT), name
    reports = [event for event in told.events if isinstance(event, PumpReported)]
    assert {(event.state, event.rate_ul_h, event.infused_ul) for event in reports} == {
        (PumpState.STOPPED, 0, 1),
        (PumpState.RUNNING, 1201, 1),
    }
    assert reports[-1].state is PumpState.STOPPED


def test_the_recorded_session_cut_anywhere_gives_the_same_events() -> None:
    uncut = ultra_session(whole).events
    for pieces in [*map(cut_at, range(1, 40)), *map(small, range(7))]:
        assert ultra_session(pieces).events == uncut


def twenty_two(answers: dict[bytes, Answer | list[Answer]]) -> Teller:
    """A stopped 2000 that answers as the transcript does first, and as the test says."""
    recorded: dict[bytes, Answer | list[Answer]] = {}
    for group in TWENTY_TWO:
        if group.pump.startswith("2000"):
            recorded.setdefault(group.sent, group.reply)
    link = Harvard22(Expected(Role.DEXTROSE, address=1, diameter_um=26_590))
    told = Teller(link, {**recorded, b"01MODPMP\r": b"\n01:", **answers}).open()
    told.run(1900)
    return told


def test_the_22_link_sends_the_commands_of_the_transcript() -> None:
    told = twenty_two({b"01RAT120MH\r": b"\n01:"})
    stopped, runs, interrupted = (b"\n120.00ml/hr\r\n01" + sign for sign in (b":", b">", b"*"))
    told.answers[b"01RAT\r"] = [stopped, runs]
    told.order(StartPump(Role.DEXTROSE, 120_000, 1)).run(2500)
    told.answers[b"01RAT\r"] = [interrupted]
    told.order(StopPump(Role.DEXTROSE, 1)).run(2000)
    commands = ("VER", "DIA", "MOD", "DIR", "MODPMP", "RAT", "DEL", "RUN", "STP", "RAT120MH")
    assert set(told.sent) == {f"01{text}\r".encode() for text in commands}
    reports = [event for event in told.events if isinstance(event, PumpReported)]
    assert (reports[-1].state, reports[-1].rate_ul_h, reports[-1].alarm) == (PumpState.STOPPED, 0, None)
    assert any((event.state, event.rate_ul_h) == (PumpState.RUNNING, 120_000) for event in reports)
    assert [event for event in told.events if isinstance(event, LinkTroubled)] == []


def test_a_refusal_of_the_transcript_is_told_with_its_meaning() -> None:
    told = twenty_two({b"01RAT999.99MH\r": b"\nOOR\r\n01:"})
    told.order(StartPump(Role.DEXTROSE, 999_990, 1))
    assert [event.detail for event in told.run(2000) if isinstance(event, LinkTroubled)] == [
        "pump refused RAT999.99MH (OOR, out of range)",
        "not started: asked for 999990 µL/h, the pump holds 120000 µL/h",
    ]
    assert b"01RUN\r" not in told.sent


def test_a_late_second_answer_is_not_taken_for_the_next_one() -> None:
    link = Harvard22(Expected(Role.DEXTROSE, address=1, diameter_um=26_590))
    recorded = {group.sent: group.reply for group in TWENTY_TWO if group.pump.startswith("2000")}
    told = Teller(link, {**recorded, b"01DIA\r": [None, recorded[b"01DIA\r"]]}).open()
    told.run(1000)
    assert told.sent[-1] == b"01DIA\r"
    assert link.receive(recorded[b"01DIA\r"], 1400) == []
    told.run(999)
    assert told.sent[-1] == b"01DIA\r"
    told.run(1)
    assert told.sent[-1] != b"01DIA\r"


@pytest.mark.parametrize(
    ("stays", "sentence"),
    [
        ({b"01MOD\r": b"\nVOLUME\r\n01:", b"01TGT\r": b"\n1.0000\r\n01:"}, "pump stays in VOLUME mode"),
        ({b"01DIR\r": b"\nREFILL\r\n01:", b"01DIRINF\r": b"\n01:"}, "does not take the direction INFUSE"),
    ],
)
def test_a_2000_that_does_not_take_its_setting_is_only_read(
    stays: dict[bytes, Answer | list[Answer]], sentence: str
) -> None:
    told = twenty_two(stays)
    told.order(StartPump(Role.DEXTROSE, 120_000, 1)).run(500)
    mismatches = [event.mismatch for event in told.events if isinstance(event, PumpIdentified)]
    assert mismatches[0] is None
    assert sentence in str(mismatches[-1])
    assert b"01RUN\r" not in told.sent
