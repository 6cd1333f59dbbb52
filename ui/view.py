"""What the running screen shows, as frozen values: words, numbers as text, tones, flags, curves.

A tone is a name from the table in `theme`; nothing here knows a colour, Qt or the wire.
"""

from dataclasses import dataclass
from enum import StrEnum


class SizeClass(StrEnum):
    """Which of the two supported grids the window has."""

    SMALL = "small"
    LARGE = "large"


class Tone(StrEnum):
    """The colour tokens of the interface sheet, section 3."""

    TEXT = "text"
    MUTED = "muted"
    INFUSION = "infusion"
    INSULIN = "insulin"


class Band(StrEnum):
    """What fills the strip under the header."""

    CALM = "calm"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Words:
    """A text and its tone."""

    text: str
    tone: Tone = Tone.TEXT


@dataclass(frozen=True, slots=True)
class HeaderView:
    """Who, how, where in the protocol, and whether the devices answer."""

    subject: str
    mode: str
    can_choose_mode: bool
    phase: str
    step: str
    ticks: tuple[Words, ...]
    clock: str
    signed: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One alarm in the list under Details."""

    name: str
    mark: str
    text: str
    can_acknowledge: bool


@dataclass(frozen=True, slots=True)
class StripView:
    """The strip whose height is always reserved."""

    band: Band
    mark: str
    title: str
    text: str
    count: str
    silence: str
    can_silence: bool
    flashes: bool
    alarms: tuple[AlarmLine, ...]


@dataclass(frozen=True, slots=True)
class GlucoseCard:
    """The last glucose value, its age and source."""

    title: str
    value: Words
    age: str
    trend: str
    slope: str
    slope_unit: str
    target: Words
    source: str


@dataclass(frozen=True, slots=True)
class InfusionCard:
    """A pump: what the protocol asks for, what was commanded, what is reported."""

    title: str
    value: Words
    wanted: str
    commanded: Words
    reported: Words


@dataclass(frozen=True, slots=True)
class NextCard:
    """The countdown to the next sample."""

    title: str
    value: Words
    due: str
    drawn: str


@dataclass(frozen=True, slots=True)
class Button:
    """One command: what it says and whether it acts now."""

    text: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class AcceptButton:
    """Accept, bound to one proposal; `number` is None when there is nothing to accept.

    With `asks` the proposal has expired and the button asks for a new one, which must be accepted anew.
    """

    text: str
    enabled: bool
    number: int | None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class ActionsView:
    """The commands of the running screen."""

    sample: Button
    drawn: Button
    note: Button
    accept: AcceptButton
    change: Button
    hold: Button
    holding: bool
    phase: Button
    phase_name: str
    stop_insulin: Button
    stop_glucose: Button
    insulin_runs: bool
    release_dextrose: bool
    release_insulin: bool
    dextrose_shows_ul_h: int | None = None
    insulin_shows_ul_h: int | None = None


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One figure of the last 30 min with its unit."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class QualityCard:
    """The figures of the last 30 min, and the steady verdict in words."""

    title: str
    rows: tuple[QualityRow, ...]
    verdict: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class AdviceView:
    """Why the rate is advised (in short and in full), and what became of the last command."""

    advice: str
    why: str
    deed: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of one line in the units of its plot; NaN in y is a gap."""

    minutes: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A numbered event on the time axis; `level` counts the stack from the top."""

    minute: float
    label: str
    level: int


@dataclass(frozen=True, slots=True)
class PlotView:
    """One of the three plots: past solid, future dashed, points, and the range that holds them all."""

    title: str
    tone: Tone
    past: Curve
    future: Curve
    points: Curve
    doubted: Curve
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PlotsView:
    """Three plots on one time axis."""

    glucose: PlotView
    gir: PlotView
    insulin: PlotView
    start_min: float
    end_min: float
    now_min: float
    now_word: str
    axis: str
    band: tuple[float, float]
    target: float
    flags: tuple[Flag, ...]
    flag_words: str
    grey: bool


@dataclass(frozen=True, slots=True)
class SampleForm:
    """What the sample entry needs to know of the present."""

    unit: str
    last_mg_dl: float | None
    last: str
    at_ms: int
    drawn_at_ms: int | None
    drawn: str


@dataclass(frozen=True, slots=True)
class ChangeForm:
    """What the change of rate needs to know: before, and how a rate becomes mL/h."""

    before: str
    weight_kg: float
    dextrose_g_l: float


@dataclass(frozen=True, slots=True)
class View:
    """The whole running screen."""

    lost: bool
    header: HeaderView
    strip: StripView
    glucose: GlucoseCard
    infusion: InfusionCard
    next: NextCard
    insulin: InfusionCard
    plots: PlotsView
    advice: AdviceView
    actions: ActionsView
    quality: QualityCard
    sample_form: SampleForm
    change_form: ChangeForm
    events: tuple[str, ...]
    sound: Band
