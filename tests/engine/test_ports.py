"""A port: losses told once, growing pauses, new epochs, orders that do not outlive their wire."""

import sys
import threading
from collections.abc import Iterator

import pytest
import serial

from clampctl.core.commands import Command, Role, SetRate, StartPump, StopPump
from clampctl.core.events import LinkLost, LinkTroubled, PumpIdentified, PumpReported, PumpState
from clampctl.engine.ports import COMMANDS_MAX, LEASE_MS, PAUSES_S, Wire, open_serial
from drivers.link import Expected
from drivers.pumps.manual import ManualPump
from drivers.pumps.new_era import NewEra
from simulator.devices.fault import FaultKind, fault
from simulator.furniture import ADDRESSES, DEXTROSE_UM, INSULIN_UM, USUAL, furniture
from simulator.transport import PseudoTerminal
from tests.engine.wires import Cable, Remembering, Rig, Scripted

GONE = OSError(5, "device reports readiness to read\nbut returned no data")


def rig(
    *scripts: list[bytes | Exception] | Exception, epoch: int = 0
) -> tuple[Rig, Remembering, list[Scripted]]:
    """A dextrose port whose wire opens and reads as scripted; after the last script it stops."""
    link, made = Remembering(), list[Scripted]()
    left = iter(scripts)

    def opener() -> Wire:
        script = next(left, None)
        if script is None:
            rigged.stop.set()
            raise OSError("no more")
        if isinstance(script, Exception):
            raise script
        wire = Scripted(iter(script), rigged.stop.set)
        made.append(wire)
        return wire

    rigged = Rig(Role.DEXTROSE, link, opener, epoch)
    return rigged, link, made


# --- losses ------------------------------------------------------------------------------------


def test_a_vanished_device_is_told_once_and_its_port_given_back() -> None:
    rigged, link, wires = rig([b"a", GONE], GONE, GONE, [b"b", GONE], [b"c"])
    rigged.port.run()
    lost = [event for event in rigged.events if isinstance(event, LinkLost)]
    assert lost == [LinkLost(Role.DEXTROSE, str(GONE).replace("\n", " "))] * 2
    assert [wire.closed for wire in wires] == [1, 1, 1]
    assert link.received == [b"a", b"b", b"c"]


def test_a_port_that_cannot_be_opened_says_why_in_one_line() -> None:
    rigged, _, _ = rig(serial.SerialException("could not open\n port x"), [b""])
    rigged.port.run()
    assert rigged.events == [LinkLost(Role.DEXTROSE, "cannot open the port: could not open port x")]


def test_a_loss_nobody_could_take_in_is_told_again() -> None:
    rigged, _, _ = rig(GONE, GONE, [b""])
    rigged.emits = False
    rigged.port.run()
    rigged.emits = True
    rigged.stop.clear()
    rigged.port.run()
    assert [type(event) for event in rigged.events] == [LinkLost]


def test_pauses_grow_until_something_is_heard() -> None:
    rigged, _, _ = rig(GONE, GONE, GONE, GONE, GONE, [b"heard", GONE], GONE, [b""])
    rigged.port.run()
    assert rigged.stop.pauses_s[:8] == [*PAUSES_S, PAUSES_S[-1], *PAUSES_S[:2], PAUSES_S[2]]


def test_a_port_that_opens_and_fails_at_once_is_no_connection() -> None:
    rigged, _, wires = rig([GONE], [GONE], [GONE], [GONE], [GONE], [b""])
    rigged.port.run()
    assert len(wires) == 6
    assert [type(event) for event in rigged.events] == [LinkLost]
    assert rigged.stop.pauses_s[:5] == [*PAUSES_S, PAUSES_S[-1]]


def test_each_connection_has_a_new_epoch() -> None:
    rigged, link, _ = rig([b"a", GONE], GONE, [b"b", GONE], [b"c"], epoch=7)
    rigged.port.run()
    assert link.epochs == [8, 9, 10]


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are POSIX")
def test_a_terminal_error_is_a_loss_too() -> None:
    import termios

    rigged, _, wires = rig(termios.error(5, "Input/output error"), [b"a", termios.error(5, "gone")], [b""])
    rigged.port.run()
    assert [type(event) for event in rigged.events] == [LinkLost, LinkLost]
    assert wires[0].closed == 1


def test_a_port_that_cannot_even_be_closed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def stuck(_wire: Scripted) -> None:
        raise OSError("cannot close")

    monkeypatch.setattr(Scripted, "close", stuck)
    rigged, link, _ = rig([b"a", GONE], [b"b"])
    rigged.port.run()
    assert link.received == [b"a", b"b"]


# --- orders ------------------------------------------------------------------------------------


def test_orders_for_a_lost_wire_are_dropped() -> None:
    rigged, link, _ = rig([b"a", GONE], [b"b", b"", b""])
    rate = SetRate(Role.DEXTROSE, 1_000, 1)
    wait = rigged.stop.wait

    def late(timeout: float | None = None) -> bool:
        rigged.port.send(rate)
        return wait(timeout)

    rigged.stop.wait = late  # type: ignore[method-assign]  # the order comes while the wire is gone
    rigged.port.run()
    assert link.epochs == [1, 2]
    assert link.sent == []


def test_a_stop_drops_what_waits() -> None:
    rigged, link, _ = rig([b"", b""])
    orders: list[Command] = [SetRate(Role.DEXTROSE, 1_000, 1), StopPump(Role.DEXTROSE, 1)]

    def reads() -> Iterator[bytes | Exception]:
        for order in (*orders, SetRate(Role.DEXTROSE, 2_000, 1)):
            assert rigged.port.send(order)
        yield b""

    rigged.port._opener = lambda: Scripted(reads(), rigged.stop.set)
    rigged.port.run()
    assert link.sent == [StopPump(Role.DEXTROSE, 1), SetRate(Role.DEXTROSE, 2_000, 1)]


def test_too_many_orders_are_refused_but_a_stop_goes_through() -> None:
    rigged, _, _ = rig([b""])
    rate = SetRate(Role.DEXTROSE, 1_000, 1)
    assert [rigged.port.send(rate) for _ in range(COMMANDS_MAX + 1)] == [*[True] * COMMANDS_MAX, False]
    assert rigged.port.send(StopPump(Role.DEXTROSE, 1))


def test_orders_and_stops_from_another_thread_break_nothing() -> None:
    link = Remembering()
    rigged = Rig(Role.DEXTROSE, link, lambda: Scripted(iter(lambda: b"x", None), lambda: None))
    thread = threading.Thread(target=rigged.port.run)
    thread.start()
    for number in range(5_000):
        rigged.port.send(SetRate(Role.DEXTROSE, number, 1))
        rigged.port.send(StopPump(Role.DEXTROSE, 1))
    alive = thread.is_alive()
    rigged.stop.set()
    thread.join(10.0)
    assert alive
    assert isinstance(link.sent[-1], StopPump)


def test_bytes_both_ways_are_kept_before_they_are_used() -> None:
    rigged, link, wires = rig([b"in", b""])
    link.output = b"out"
    rigged.port.run()
    assert rigged.tapped == [(b"in", True), (b"out", False)]
    assert wires[0].written == [b"out"]


def test_a_rate_read_off_a_pump_by_a_person_is_reported() -> None:
    link = ManualPump(Expected(Role.DEXTROSE, "by hand"))
    rigged = Rig(Role.DEXTROSE, link, lambda: Scripted(iter([b"", b""]), rigged.stop.set))
    opened = link.opened

    def shown(epoch: int, now_ms: int) -> None:
        opened(epoch, now_ms)
        rigged.port.shown(12_000)

    link.opened = shown  # type: ignore[method-assign]  # the person reads while the port opens
    rigged.port.run()
    reports = [event for event in rigged.events if isinstance(event, PumpReported)]
    assert [(report.state, report.rate_ul_h) for report in reports][-1:] == [(PumpState.RUNNING, 12_000)]


# --- a pump at the other end -------------------------------------------------------------------


def test_without_ticks_the_insulin_pump_is_left_alone_and_stops_by_itself() -> None:
    device = furniture(USUAL).insulin
    link = NewEra(
        Expected(
            Role.INSULIN, "NE1000", address=ADDRESSES[Role.INSULIN], diameter_um=INSULIN_UM, watchdog_s=5
        )
    )
    rigged = Rig(Role.INSULIN, link, lambda: wire)
    wire = Cable(device, rigged.clock)
    link.opened(1, 0)
    rigged.passes(wire, 20_000)
    rigged.port.send(StartPump(Role.INSULIN, 2_000, 1))
    rigged.passes(wire, 65_000)
    assert device.flow_ul_h == 2_000
    rigged.clock.ticked_ms = rigged.clock.at_ms
    rigged.passes(wire, LEASE_MS)
    rigged.port.send(SetRate(Role.INSULIN, 3_000, 1))
    written = len(wire.written)
    rigged.passes(wire, 5_000 + 1_000)
    assert len(wire.written) == written
    assert device.flow_ul_h == 0
    rigged.clock.ticked_ms = None
    rigged.passes(wire, 5_000)
    assert len(wire.written) > written
    assert PumpState.ALARM in [event.state for event in rigged.events if isinstance(event, PumpReported)]


def test_without_ticks_dextrose_is_watched_on() -> None:
    device = furniture(USUAL).dextrose
    link = NewEra(Expected(Role.DEXTROSE, "NE1000", diameter_um=DEXTROSE_UM))
    rigged = Rig(Role.DEXTROSE, link, lambda: wire)
    wire = Cable(device, rigged.clock)
    rigged.clock.ticked_ms = 0
    link.opened(1, 0)
    rigged.passes(wire, 30_000)
    assert len([event for event in rigged.events if isinstance(event, PumpReported)]) > 10


def test_a_pulled_cable_is_a_loss_and_a_new_identity_when_it_is_back() -> None:
    device = furniture(USUAL).dextrose
    link = NewEra(Expected(Role.DEXTROSE, "NE1000", diameter_um=DEXTROSE_UM))
    rigged = Rig(Role.DEXTROSE, link, lambda: Cable(device, rigged.clock))

    def heard(event: object) -> None:
        epochs = [one.epoch for one in rigged.events if isinstance(one, PumpIdentified)]
        if isinstance(event, LinkLost):
            device.clear(FaultKind.UNPLUG, rigged.clock.at_ms)
        elif isinstance(event, PumpReported) and epochs == [1]:
            device.inject(fault("unplug"), rigged.clock.at_ms)
        elif isinstance(event, PumpReported) and epochs == [1, 2]:
            rigged.stop.set()

    rigged.heard = heard
    rigged.port.run()
    names = [type(event) for event in rigged.events if not isinstance(event, PumpReported | LinkTroubled)]
    assert names == [PumpIdentified, LinkLost, PumpIdentified]


# --- pyserial ----------------------------------------------------------------------------------


def test_the_frame_of_the_station_reaches_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(serial, "serial_for_url", lambda name, **how: asked.append({"name": name, **how}))
    open_serial("COM7", 9_600, frame="7E1")
    open_serial("socket://127.0.0.1:9", 19_200)
    seven, eight = asked
    assert (seven["bytesize"], seven["parity"], seven["stopbits"], seven["exclusive"]) == (7, "E", 1, True)
    assert (eight["bytesize"], eight["parity"], eight["stopbits"]) == (8, "N", 1)
    assert "exclusive" not in eight
    assert all(how["timeout"] and how["write_timeout"] for how in asked)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
def test_a_second_program_on_a_port_is_told_so() -> None:
    terminal = PseudoTerminal()
    first = open_serial(terminal.address, 19_200)
    try:
        with pytest.raises(OSError, match="lock"):
            open_serial(terminal.address, 19_200)
    finally:
        first.close()
        terminal.close()
