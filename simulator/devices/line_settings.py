"""How an emulated line-printing analyzer is set up."""

from dataclasses import dataclass
from datetime import datetime

from simulator.devices.ysi_report import Unit


@dataclass(frozen=True, slots=True)
class LineSettings:
    """Constructor settings of `LineDevice`; there is no such instrument, so all of it is made up.

    template: the line, of {value} {unit} {id} {time} {flag}; {flag} brings its own blank. other: the
    line of another analyte, {id} in it. banner: printed when it is switched on. end: behind each line;
    "" for an analyzer that just stops. encoding: as Python names it. time_format: for strftime.
    start: wall clock at 0 ms. clock_offset_s: how far its clock is ahead. unit: of its results.
    first_id: number of its first result. run_ms: one measurement. control_mg_dl: what its control
    solution reads.
    """

    template: str = "GLU {value} {unit} #{id:0>4}{flag}"
    other: str = "LAC 1.0 mmol/L #{id:0>4}"
    banner: str = "READY"
    end: str = "\r\n"
    encoding: str = "latin-1"
    time_format: str = "%d.%m.%Y %H:%M:%S"
    start: datetime = datetime(2026, 1, 1, 8)
    clock_offset_s: int = 0
    unit: Unit = Unit.MG_DL
    first_id: int = 1
    run_ms: int = 60_000
    control_mg_dl: float = 100.0
