"""The golden frames judge the link: it sends each `>` it has a use for and understands each `<`."""

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from clampctl.core.commands import Role, SetRate, StartPump, StopPump
from clampctl.core.events import DeviceEvent, LinkTroubled, PumpIdentified, PumpReported, PumpState
from drivers.link import Expected
from drivers.pumps.alaris import Alaris
from drivers.pumps.alaris_text import Reply, Splitter, frame

GOLDEN = Path(__file__).parents[1] / "data" / "transcripts" / "alaris_asena.txt"

NEVER_SENT = {
    "REMOTE_CTRL^DISABLED": "silence gives control back; a running pump told so might stop unwatched",
    "REMOTE_CFG^ENABLED^3CC1": "the pump's configuration is not the program's, and the reply is unknown",
    "INF_VI_CLEAR": "the counter is never cleared by the link",
    "INF_VTBI^ACTIV^11.000^ml^STOP": "a volume limit is a person's; it is told, not set",
    "INF_VTBI^DEACT": "a volume limit is a person's; it is told, not removed",
    "REMQUERY^DEACT": "what it deactivates is not known",
    "ALARM": "only while INF shows an alarm, see the alarm test below",
}

Cut = Callable[[bytes], list[bytes]]


def crc(text: bytes) -> str:
    """CRC-16, initial value FFFF, bit by bit, on purpose not the way the drivers do it."""
    register = 0xFFFF
    for byte in text:
        register ^= byte << 8
        for _ in range(8):
            register = ((register << 1) ^ (0x1021 if register & 0x8000 else 0)) & 0xFFFF
    return f"{register:04X}"


def wire(text: str) -> bytes:
    return f"!{text}|{crc(text.encode('latin-1'))}\r".encode("latin-1")


def frames(mark: str) -> dict[str, bytes]:
    """Text in the comment -> bytes, of each line with this mark."""
    found, comment = {}, ""
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            comment = re.split(r"\|[0-9A-F]{4} ", line[2:])[0]
        elif line.startswith(mark):
            found[comment] = bytes.fromhex(line[2:])
    return found


HOST, PUMP = frames("> "), frames("< ")


class Golden:
    """Answers with the golden frames; only INF, INF_VI, INF_VTBI and the rate query are made up here."""

    def __init__(self, cut: Cut) -> None:
        self.link = Alaris(Expected(Role.INSULIN, "Asena", "8002-51740", watchdog_s=15))
        self.cut = cut
        self.is_running = False
        self.alarm = "-"
        self.rate = "0.00"
        self.now_ms = 0
        self.sent: list[bytes] = []
        self.events: list[DeviceEvent] = []

    def run(self, for_ms: int) -> None:
        end_ms = self.now_ms + for_ms
        while True:
            while out := self.link.take_output():
                self.sent.append(out)
                for piece in self.cut(self.reply(out[1:-6].decode())):
                    self.events += self.link.receive(piece, self.now_ms)
            due_ms = self.link.wake_at()
            if due_ms is None or due_ms > end_ms:
                break
            self.now_ms = max(self.now_ms, due_ms)
            self.events += self.link.wake(self.now_ms)
        self.now_ms = end_ms

    def reply(self, text: str) -> bytes:
        name, _, value = text.partition("^")
        if name == "INF":
            mode, rate = ("SET", self.rate) if self.is_running else ("HLD", "0.00")
            return wire(f"INF^8002-51740^{self.alarm}^{mode}^{rate}^ml/h^^0.969^ml^17.91^mmHg^24+^EVENT^7")
        if name in ("INF_START", "INF_STOP"):
            self.is_running = name == "INF_START"
        if name == "INF_RATE" and value:
            self.rate = value.partition("^")[0]
        made_up = {
            "INF_RATE": f"INF_RATE^{self.rate}^ml/h",
            "INF_VI": "INF_VI^0.969^ml",
            "INF_VTBI": "INF_VTBI^DEACT^^^",
        }
        if text in made_up:
            return wire(made_up[text])
        return PUMP[text] if text in PUMP else next(PUMP[known] for known in PUMP if known.startswith(name))


def session(cut: Cut) -> Golden:
    """Open, start, two changes, an alarm, stop."""
    pump = Golden(cut)
    pump.link.opened(1, 0)
    pump.run(1500)
    for order in (
        StartPump(Role.INSULIN, 120_000, 1),
        SetRate(Role.INSULIN, 3500, 1),
        SetRate(Role.INSULIN, 100, 1),
        StopPump(Role.INSULIN, 1),
    ):
        pump.link.send(order, pump.now_ms)
        pump.run(1500)
    return pump


WHOLE = session(lambda data: [data])


def test_every_frame_is_cut_and_made_as_its_comment_says() -> None:
    assert (len(HOST), len(PUMP)) == (22, 15)
    for text, data in [*HOST.items(), *PUMP.items()]:
        assert data == frame(text) == wire(text)
        name, *fields = text.split("^")
        assert Splitter().feed(data, 0) == [Reply(name, tuple(fields))]


def test_the_link_sends_every_host_frame_it_has_a_use_for() -> None:
    for text, data in HOST.items():
        assert (data in WHOLE.sent) is (text not in NEVER_SENT), text
    assert sum(sent == HOST["INF_START"] for sent in WHOLE.sent) == 1


def test_what_the_golden_replies_mean() -> None:
    identified = [event for event in WHOLE.events if isinstance(event, PumpIdentified)]
    assert [(event.model, event.mismatch) for event in identified] == [("Asena", None)]
    for part in (
        "serial 8002-51740",
        "Asena Rev 2.1.5",
        "BD PLASTIPAK 50",
        "1200.00 mL/h",
        "no volume limit",
    ):
        assert part in identified[0].detail
    assert "NOT CONFIRMED" not in identified[0].detail
    readings = [event for event in WHOLE.events if isinstance(event, PumpReported)]
    rates = list(dict.fromkeys((event.state, event.rate_ul_h) for event in readings))
    assert rates == [
        (PumpState.STOPPED, 0),
        (PumpState.RUNNING, 120_000),
        (PumpState.RUNNING, 3500),
        (PumpState.RUNNING, 100),
    ]
    assert readings[-1].state is PumpState.STOPPED
    assert {event.infused_ul for event in readings} == {969}
    assert not [event for event in WHOLE.events if isinstance(event, LinkTroubled)]


def test_an_alarm_flag_is_asked_about_and_the_golden_answer_tells_none() -> None:
    pump = Golden(lambda data: [data])
    pump.alarm = "A"
    pump.link.opened(1, 0)
    pump.run(1500)
    assert HOST["ALARM"] in pump.sent
    last = pump.events[-1]
    assert last == PumpReported(
        Role.INSULIN, 1, PumpState.ALARM, 0, 969, "alarm, the pump does not tell which"
    )


def test_a_status_recorded_off_a_pump_is_read() -> None:
    """A frame in OpenICE's AlarisMITM, on hold after an occlusion; its checksum is right."""
    recorded = b"!INF^8002-51733^A^HLD^0.00^ml/h^^0.969^ml^530.15^mmHg^00:04:09^EVENT^214725|DB9D\r"
    link = Alaris(Expected(Role.INSULIN, read_only=True))
    link.opened(1, 0)
    replies = {
        b"!INST_SERIALNO|457D\r": wire("INST_SERIALNO^8002-51733"),
        HOST["INF"]: recorded,
        HOST["ALARM"]: wire("ALARM^AL_OCCLU^ ^ "),
        HOST["INF_RATE"]: wire("INF_RATE^3.50^ml/h"),
        HOST["INF_VI"]: wire("INF_VI^0.969^ml"),
        HOST["INF_VTBI"]: wire("INF_VTBI^DEACT^^^"),
    }
    events: list[DeviceEvent] = []
    while out := link.take_output():
        name = out[1:-6].decode()
        answer = replies.get(out) or next(PUMP[text] for text in PUMP if text.startswith(name))
        events += link.receive(answer, 0)
    assert isinstance(events[0], PumpIdentified)
    assert events[1] == PumpReported(Role.INSULIN, 1, PumpState.ALARM, 0, 969, "occlusion (AL_OCCLU)")


@pytest.mark.parametrize("at", range(1, 80))
def test_replies_cut_at_any_byte_mean_the_same(at: int) -> None:
    cut = session(lambda data: [data[:at], data[at:]])
    assert cut.events == WHOLE.events
    assert cut.sent == WHOLE.sent


@pytest.mark.parametrize("seed", range(10))
def test_replies_in_random_pieces_mean_the_same(seed: int) -> None:
    dice = Random(seed)

    def pieces(data: bytes) -> list[bytes]:
        found = []
        while data:
            size = dice.randint(1, 7)
            found.append(data[:size])
            data = data[size:]
        return found

    assert session(pieces).events == WHOLE.events
