"""What engine and windows say to each other: versioned, length-prefixed JSON.

A frame is a 4-byte big-endian length and that many bytes of UTF-8 JSON. The first message of an
engine is `Hello`. Rows are history and only grow; a `Snapshot` is the present and replaces the
last. A window sends `Act`s and gets one `Receipt` for each. None means "not known". Nothing here
opens a socket: see `engine.server` and `ui.client`.
"""

from typing import Any

import msgspec

WIRE_VERSION = 1
FRAME_BYTES_MAX = 4 * 1024 * 1024


class WireError(ValueError):
    """A frame that does not follow this page; the connection is closed."""


class Hello(msgspec.Struct, frozen=True, tag="hello", forbid_unknown_fields=True):
    """First message: who speaks, and whether acts are taken (`live`) or the past is shown."""

    wire: int
    session_id: str
    software: str
    live: bool
    subject_code: str
    protocol_title: str
    glucose_unit: str
    weight_kg: float
    dextrose_label: str
    dextrose_g_l: float
    sampling_ms: int
    started_utc: str


class SampleRow(msgspec.Struct, frozen=True):
    """One glucose value. `verdict` is believed, doubted or refused, with the reason in words."""

    sample_id: str
    drawn_at_ms: int
    glucose_mg_dl: float
    verdict: str
    reason: str
    source: str


class RateRow(msgspec.Struct, frozen=True):
    """Rates from `at_ms` on: GIR in mg/kg/min, insulin in mU/m2/min; what each pump reports."""

    at_ms: int
    gir_mg_kg_min: float | None
    insulin_mu_m2_min: float | None


class EventRow(msgspec.Struct, frozen=True):
    """Something worth a flag on the time axis; `kind` is phase, operator, alarm, device or session."""

    seq: int
    at_ms: int
    kind: str
    text: str
    actor: str


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """History appended since the last `Rows` on this connection; the first ones hold it all."""

    samples: list[SampleRow]
    rates: list[RateRow]
    events: list[EventRow]


class AlarmView(msgspec.Struct, frozen=True):
    """One alarm that is shown, most urgent first. `text` reads: what; what was done; what you do."""

    name: str
    priority: str
    text: str
    since_ms: int
    holds: bool
    acknowledged: bool


class ProposalView(msgspec.Struct, frozen=True):
    """A rate that waits for the nurse. Reasons say what limited it; `basis` names its sample."""

    number: int
    gir_mg_kg_min: float
    wanted_mg_kg_min: float
    rate_ul_h: int
    basis: str
    reasons: list[str]
    expires_at_ms: int


class PumpView(msgspec.Struct, frozen=True):
    """A pump as commanded and as reported; `verified` when both agree. `by_hand`: a person sets it."""

    model: str
    connected: bool
    heard_at_ms: int | None
    state: str
    commanded_ul_h: int
    reported_ul_h: int | None
    verified: bool
    infused_ul: int | None
    trouble: str
    by_hand: bool = False


class AnalyzerView(msgspec.Struct, frozen=True):
    """The analyzer's link."""

    model: str
    connected: bool
    heard_at_ms: int | None
    trouble: str


class QualityView(msgspec.Struct, frozen=True):
    """Figures of the last 30 min; None until there is enough to say."""

    glucose_mean_mg_dl: float | None
    glucose_cv_measured_pct: float | None
    gir_mean_mg_kg_min: float | None
    gir_slope_pct_30min: float | None
    steady: bool | None
    within_5pct_pct: float | None


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """The present, twice a second. Times are session milliseconds; ages are `at_ms` minus a time."""

    seq: int
    at_ms: int
    wall_utc: str
    phase: str
    step_name: str
    step_number: int
    step_count: int
    clamp_started_ms: int | None
    step_ends_ms: int | None
    mode: str
    holding: bool
    fallback_reason: str
    target_mg_dl: float
    glucose_mg_dl: float | None
    glucose_drawn_at_ms: int | None
    glucose_source: str
    glucose_doubted: bool
    glucose_slope_mg_dl_min: float | None
    next_sample_due_ms: int | None
    draw_marked_ms: int | None
    wanted_mg_kg_min: float | None
    gir_mg_kg_min: float | None
    gir_reasons: list[str]
    insulin_mu_m2_min: float | None
    proposal: ProposalView | None
    dextrose: PumpView
    insulin: PumpView
    analyzer: AnalyzerView
    journal_healthy: bool
    alarms: list[AlarmView]
    audio_paused_until_ms: int | None
    refusal: str
    quality: QualityView
    sample_late_ms: int
    sample_stale_ms: int
    closed: bool


class Receipt(msgspec.Struct, frozen=True, tag="receipt"):
    """Answer to one act: the journal line that holds it, or the sentence that refuses it."""

    act: int
    seq: int | None
    refused: str


class Farewell(msgspec.Struct, frozen=True, tag="farewell"):
    """The engine ends this connection, and why."""

    reason: str


class Act(msgspec.Struct, frozen=True, tag="act", forbid_unknown_fields=True):
    """A window's wish: one operator event in the core's JSON form, numbered by the window."""

    act: int
    event: dict[str, Any]


class Beat(msgspec.Struct, frozen=True, tag="beat", forbid_unknown_fields=True):
    """A window is alive; once a second."""

    wire: int


ToWindow = Hello | Rows | Snapshot | Receipt | Farewell
ToEngine = Act | Beat

_encoder = msgspec.json.Encoder()
_to_window: msgspec.json.Decoder[ToWindow] = msgspec.json.Decoder(ToWindow)
_to_engine: msgspec.json.Decoder[ToEngine] = msgspec.json.Decoder(ToEngine)


def frame(message: ToWindow | ToEngine) -> bytes:
    """One message as bytes for the socket."""
    body = _encoder.encode(message)
    if len(body) > FRAME_BYTES_MAX:
        raise WireError(f"message of {len(body)} bytes is over the limit of {FRAME_BYTES_MAX}")
    return len(body).to_bytes(4, "big") + body


class Splitter:
    """Cuts a byte stream into frame bodies; any chunking gives the same bodies."""

    def __init__(self, bytes_max: int = FRAME_BYTES_MAX) -> None:
        self._buffer = bytearray()
        self._bytes_max = bytes_max

    def feed(self, data: bytes) -> list[bytes]:
        """Bodies completed by `data`. Raises `WireError` on a length over the limit."""
        self._buffer += data
        bodies: list[bytes] = []
        while len(self._buffer) >= 4:
            length = int.from_bytes(self._buffer[:4], "big")
            if length > self._bytes_max:
                raise WireError(f"frame of {length} bytes is over the limit of {self._bytes_max}")
            if len(self._buffer) < 4 + length:
                break
            bodies.append(bytes(self._buffer[4 : 4 + length]))
            del self._buffer[: 4 + length]
        return bodies


def read_by_window(body: bytes) -> ToWindow:
    """A message for a window. Raises `WireError` when it does not follow this page."""
    try:
        return _to_window.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(str(error)) from error


def read_by_engine(body: bytes) -> ToEngine:
    """A message for the engine. Raises `WireError` when it does not follow this page."""
    try:
        return _to_engine.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(str(error)) from error
