"""How an emulated POCT1-A meter is set up."""

from dataclasses import dataclass
from datetime import datetime

from simulator.devices.ysi_report import Unit


@dataclass(frozen=True, slots=True)
class Poct1aSettings:
    """Constructor settings of `Poct1a`; [R] marks what the sheet could not verify.

    start: wall clock at 0 ms. utc_offset: written behind its times, such as "-05:00"; may be "".
    clock_offset_s: how far the meter's clock is ahead. device_id, vendor, model, serial: its HEL.R01.
    patient: ID on its results. code: OBS.observation_id of glucose [R]. unit: of its results.
    first_control_id: number of its first message. run_ms: one measurement.
    reply_ms: wait for an acknowledgement [R]. tries: as often is a message sent before it greets anew
    [R]. control_mg_dl: what its control solution reads. declaration: written before each message.
    encoding: of its bytes, as Python names it.
    reply_delay_ms: time to answer.
    """

    start: datetime = datetime(2026, 1, 1, 8)
    utc_offset: str = "+00:00"
    clock_offset_s: int = 0
    device_id: str = "00-11-22-33"
    vendor: str = "NOVA"
    model: str = "STATSTRIP"
    serial: str = "SS-4711"
    patient: str = "S017"
    code: str = "GLU"
    unit: Unit = Unit.MG_DL
    first_control_id: int = 1
    run_ms: int = 60_000
    reply_ms: int = 10_000
    tries: int = 3
    control_mg_dl: float = 100.0
    declaration: str = ""
    encoding: str = "utf-8"
    reply_delay_ms: int = 0
