"""How an emulated ASTM analyzer is set up."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Unit(StrEnum):
    """Unit of glucose, a setting of the instrument."""

    MG_DL = "mg/dL"
    MMOL_L = "mmol/L"


@dataclass(frozen=True, slots=True)
class AstmSettings:
    """Constructor settings of `AstmAnalyzer`; [R] marks what the sheet could not verify.

    start: wall clock at 0 ms. clock_offset_s: how far the instrument's clock is ahead of it.
    unit: unit of glucose. status: letter of a new result. sender: name, version, serial number.
    patient, patient_name, specimen: what the operator keyed in; "" is left empty.
    first_sample: number of the next sample. started_before_ms: how long before its end a run's time
    stamp lies [R].
    run_ms: one sample [1-2 min R]. calibration_ms: one calibration [R]. autocal_ms: interval of automatic
    calibrations, None without. calibrator_mg_dl: what a calibration reads.
    packed: as many records in a frame as fit, instead of one. lower_case: letters in checksums.
    first_time_only: only the first result of a message has its time, as an ABL735 does.
    panel: potassium and sodium follow, then the operator's comment `remark`.
    short_result: results end with their unit. error_text, error_repeats: the comment of an error code.
    edit_note: the comment of an edit; `{stamp}` becomes its moment.
    reply_ms: wait for an answer. nak_ms: pause after a refused call. collision_ms: pause after both called.
    tries: transmissions of one frame or call. again_ms: pause before a message is sent again [R].
    """

    start: datetime = datetime(2026, 1, 1, 8)
    clock_offset_s: int = 0
    unit: Unit = Unit.MMOL_L
    status: str = "F"
    sender: str = "ABL800^Bay 3"
    patient: str = "S017"
    patient_name: str = ""
    specimen: str = ""
    first_sample: int = 1
    started_before_ms: int = 35_000
    run_ms: int = 60_000
    calibration_ms: int = 75_000
    autocal_ms: int | None = None
    calibrator_mg_dl: float = 180.156
    packed: bool = False
    lower_case: bool = False
    first_time_only: bool = False
    panel: bool = False
    remark: str = "demo text"
    short_result: bool = False
    error_text: str = "Calibration drift 2 out of range "
    error_repeats: int = 8
    edit_note: str = "CHANGE^{stamp} () T: 37.0 -> 39.4"
    reply_ms: int = 15_000
    nak_ms: int = 10_000
    collision_ms: int = 1000
    tries: int = 6
    again_ms: int = 10_000
