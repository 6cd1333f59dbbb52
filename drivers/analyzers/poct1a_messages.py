"""What POCT1-A messages say: the host's own, closed list, and the meter's identity and results.

Source: analyzers reference 4.5 (DCA Vantage and i-STAT hosts; Nova Prime protocol). Marked [R]:
codes that were in none of these; whatever is not known here holds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from clampctl.core.events import SampleKind
from drivers.analyzers.poct1a_xml import Element
from drivers.intake import Result

FIRST_CONTROL_ID = 4001
"""Our messages count from here on each connection, as in the reference's example."""

NO_TIME = "2000-01-01T00:00:00"
"""Written where this computer's wall clock is not known."""

GOOD_STATUS = ("", "A")
"""No status, or accepted [R]: any other holds."""

KINDS = {
    "OBS": SampleKind.PATIENT,
    "LQC": SampleKind.CONTROL,
    "EQC": SampleKind.CONTROL,
    "PRF": SampleKind.CONTROL,
    "CVR": SampleKind.CALIBRATION,
    "CAL": SampleKind.CALIBRATION,
}
"""What was measured, by SVC.role_cd; all but OBS are [R]. Another role, or none, holds."""

_CONTROL_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True, slots=True)
class Meter:
    """Who a meter is, from HEL.R01; "" is not told, or not compared."""

    serial: str = ""
    vendor: str = ""
    model: str = ""
    device: str = ""

    def differs(self, expected: "Meter") -> str:
        """What is not as expected, for a person; "" when all is."""
        pairs = (
            ("serial number", self.serial, expected.serial),
            ("vendor", self.vendor, expected.vendor),
            ("model", self.model, expected.model),
            ("device ID", self.device, expected.device),
        )
        return ", ".join(
            f"{name} is {told or 'not told'}, expected {wanted}"
            for name, told, wanted in pairs
            if wanted and told != wanted
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """One glucose result with what may keep it from being used; `doubt` is a sentence or ""."""

    result: Result
    doubt: str


def control_id_of(message: Element) -> str:
    """The meter's number of a message; "" where it has none that can be repeated safely."""
    found = message.value("HDR.control_id")
    return found if _CONTROL_ID.fullmatch(found) else ""


def meter_of(hello: Element) -> Meter:
    """The identity in a HEL.R01."""
    fields = ("DEV.serial_id", "DEV.vendor_id", "DEV.model_id", "DEV.device_id")
    return Meter(*(hello.value(field)[:40] for field in fields))


def observations_of(
    message: Element, serial: str, codes: frozenset[str], are_notes_doubts: bool
) -> Iterator[Observation]:
    """The glucose results in an OBS.R01; `codes` in capitals. Other analytes are passed over."""
    for service in message.every("SVC"):
        for observation in service.every("OBS"):
            code = observation.value("OBS.observation_id")
            if code.upper() not in codes:
                continue
            yield _observation(service, observation, code, serial, are_notes_doubts)


def _observation(
    service: Element, observation: Element, code: str, serial: str, are_notes_doubts: bool
) -> Observation:
    value = next(observation.every("OBS.value"), Element("", {})).attributes
    told, role = service.value("SVC.observation_dttm"), service.value("SVC.role_cd")
    measured, minutes_only = _measured(told)
    status, note = observation.value("OBS.status_cd"), observation.value("NTE.text")
    doubts = (
        (role not in KINDS, f"its role is {role or 'missing'}, not OBS"),
        (not told, "it has no time"),
        (status not in GOOD_STATUS, f"its status is {status}"),
        (are_notes_doubts and bool(note), f"the meter noted {note!r}"),
    )
    result = Result(
        identity=(serial, told, code),
        sample=service.value("PT.patient_id"),
        patient=service.value("PT.patient_id"),
        value=value.get("V", ""),
        unit=value.get("U", ""),
        kind=KINDS.get(role, SampleKind.INFORMATION),
        measured=measured,
        minutes_only=minutes_only,
        flags=(f"note {note}",) if note else (),
    )
    return Observation(result, next((sentence for is_so, sentence in doubts if is_so), ""))


def _measured(text: str) -> tuple[datetime | None, bool]:
    """The meter's wall clock, its offset from UTC left out, and whether it has no seconds."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None, False
    try:
        return datetime.fromisoformat(match[1] + (match[2] or "")), match[2] is None
    except ValueError:
        return None, False


def acknowledgement(control_id: int, created: str, answers: str, is_accepted: bool) -> bytes:
    """ACK.R01 for the message numbered `answers`: AA, or AE [R] for one that is not taken."""
    kind = "AA" if is_accepted else "AE"
    body = f'<ACK.type_cd V="{kind}"/><ACK.ack_control_id V="{answers}"/>'
    return _message("ACK", control_id, created, f"<ACK>{body}</ACK>")


def results_asked(control_id: int, created: str) -> bytes:
    """REQ.R01: send the results you hold."""
    return _message("REQ", control_id, created, '<REQ><REQ.request_cd V="ROBS"/></REQ>')


def continuous_asked(control_id: int, created: str) -> bytes:
    """DTV.R01: send each result when you have it."""
    return _message("DTV", control_id, created, '<DTV><DTV.command_cd V="START_CONTINUOUS"/></DTV>')


def _message(name: str, control_id: int, created: str, body: str) -> bytes:
    head = (
        f'<HDR><HDR.message_type V="{name}.R01"/><HDR.control_id V="{control_id}"/>'
        f'<HDR.version_id V="POCT1"/><HDR.creation_dttm V="{created}"/></HDR>'
    )
    return f"<{name}.R01>{head}{body}</{name}.R01>".encode("ascii")
