"""Night and day: colour tokens, palette, stylesheet and the shipped font.

Tokens are those of the interface sheet, section 3. Red, yellow and cyan belong to alarms and are
the same in both themes. Changing the theme restyles; it rebuilds and moves nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QColor, QFontDatabase, QPalette

from ui.view import SizeClass, Tone

FONT_FAMILY = "DejaVu Sans"
FONT_FILES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
SCALE = {SizeClass.SMALL: 1.0, SizeClass.LARGE: 1.35}


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by token, as #RRGGBB."""

    name: str
    background: str
    card: str
    edge: str
    text: str
    muted: str
    infusion: str
    insulin: str
    face: str
    main_action: str
    on_main_action: str

    def tone(self, tone: Tone) -> str:
        """The colour of a tone."""
        return {
            Tone.TEXT: self.text,
            Tone.MUTED: self.muted,
            Tone.INFUSION: self.infusion,
            Tone.INSULIN: self.insulin,
        }[tone]


NIGHT = Theme(
    name="night",
    background="#0F1418",
    card="#182027",
    edge="#33414B",
    text="#E8EEF2",
    muted="#9AA8B3",
    infusion="#56B4E9",
    insulin="#CC79A7",
    face="#26323B",
    main_action="#0B6E4F",
    on_main_action="#FFFFFF",
)
DAY = Theme(
    name="day",
    background="#EEF1F3",
    card="#FFFFFF",
    edge="#B9C4CC",
    text="#10181E",
    muted="#51606B",
    infusion="#0072B2",
    insulin="#8E3A6B",
    face="#DFE6EB",
    main_action="#0B6E4F",
    on_main_action="#FFFFFF",
)
THEMES = {"night": NIGHT, "day": DAY}

ALARM_FACES = {
    "high": ("#C62828", "#FFFFFF"),
    "medium": ("#F5C400", "#000000"),
    "low": ("#00B8D4", "#000000"),
}
"""Band: face and text on it; for alarms only."""

ROLES = {
    "huge": (108, "bold"),
    "big": (60, "bold"),
    "middle": (44, "bold"),
    "mode": (31, "bold"),
    "head": (24, "bold"),
    "strong": (18, "bold"),
    "alarm": (19, "bold"),
    "body": (15, "normal"),
    "caption": (14, "bold"),
    "small": (14, "normal"),
}
"""Text roles: pixels at 1280 × 800, and weight."""


def pixels(size: SizeClass, count: float) -> int:
    """Pixels of a length given for 1280 × 800."""
    return round(count * SCALE[size])


def load_font() -> None:
    """Make the shipped font known to Qt; needs a running application."""
    folder = Path(__file__).parent / "fonts"
    for name in FONT_FILES:
        if QFontDatabase.addApplicationFont(str(folder / name)) < 0:
            raise RuntimeError(f"the font {name} of this program cannot be read")


def palette(theme: Theme) -> QPalette:
    """The palette, for what a stylesheet does not reach."""
    made = QPalette()
    pairs = (
        (QPalette.ColorRole.Window, theme.background),
        (QPalette.ColorRole.Base, theme.card),
        (QPalette.ColorRole.Button, theme.face),
        (QPalette.ColorRole.WindowText, theme.text),
        (QPalette.ColorRole.Text, theme.text),
        (QPalette.ColorRole.ButtonText, theme.text),
        (QPalette.ColorRole.Highlight, theme.main_action),
        (QPalette.ColorRole.HighlightedText, theme.on_main_action),
        (QPalette.ColorRole.PlaceholderText, theme.muted),
    )
    for role, colour in pairs:
        made.setColor(role, QColor(colour))
    return made


def _labels(theme: Theme, size: SizeClass) -> str:
    rules = [f'QLabel {{ color: {theme.text}; font-family: "{FONT_FAMILY}"; background: transparent; }}']
    rules += [
        f'QLabel[role="{role}"] {{ font-size: {pixels(size, px)}px; font-weight: {weight}; }}'
        for role, (px, weight) in ROLES.items()
    ]
    rules += [f'QLabel[tone="{tone.value}"] {{ color: {theme.tone(tone)}; }}' for tone in Tone]
    return "\n".join(rules)


def _bands(theme: Theme, size: SizeClass) -> str:
    rules = []
    for band, (face, on_face) in ALARM_FACES.items():
        rules += [
            f'QFrame#strip[band="{band}"] {{ background: {face}; border-color: {face}; }}',
            f'QFrame#strip[band="{band}"] QLabel {{ color: {on_face}; }}',
            f'QFrame#strip[band="{band}"] QLabel#mark[lit="false"]'
            f" {{ color: {face}; background: {on_face}; }}",
            f'QFrame#strip[band="{band}"] QPushButton {{ background: #101010; color: #FFFFFF; }}',
            f'QFrame#strip[band="{band}"] QPushButton:disabled {{ color: #9AA8B3; }}',
        ]
    rules.append(f'QFrame#strip[band="replay"] {{ background: {theme.text}; border-color: {theme.text}; }}')
    rules.append(f'QFrame#strip[band="replay"] QLabel {{ color: {theme.card}; }}')
    rules.append(f'QFrame#strip[band="calm"] QLabel {{ color: {theme.muted}; }}')
    rules.append(f"QLabel#mark {{ border-radius: {pixels(size, 4)}px; }}")
    return "\n".join(rules)


def _buttons(theme: Theme, size: SizeClass) -> str:
    edge, pad = pixels(size, 2), pixels(size, 4)
    return f"""
QPushButton {{ font-family: "{FONT_FAMILY}"; font-size: {pixels(size, 17)}px; font-weight: bold;
  color: {theme.text}; background: {theme.face}; border: {edge}px solid {theme.edge};
  border-radius: {pixels(size, 7)}px; padding: {pad}px; }}
QPushButton:focus {{ border-color: {theme.text}; }}
QPushButton:pressed {{ border-color: {theme.muted}; }}
QPushButton:disabled {{ color: {theme.muted}; background: {theme.card}; border-color: {theme.edge}; }}
QPushButton:checked {{ border-color: {theme.text}; background: {theme.card}; }}
QPushButton[kind="main"]:enabled {{ background: {theme.main_action}; color: {theme.on_main_action};
  border-color: {theme.main_action}; }}
QPushButton[kind="main"]:focus {{ border-color: {theme.text}; }}
QPushButton[kind="stop"] {{ border-color: {theme.text}; border-width: {edge * 2}px;
  font-size: {pixels(size, 19)}px; }}
QPushButton[kind="stop"]:disabled {{ border-color: {theme.edge}; }}
QPushButton[kind="mode"] {{ font-size: {pixels(size, ROLES["mode"][0])}px; }}
QPushButton[kind="key"] {{ font-size: {pixels(size, 26)}px; }}
"""


def stylesheet(theme: Theme, size: SizeClass) -> str:
    """The whole look of the window for one theme at one size."""
    line = pixels(size, 1)
    return "\n".join(
        (
            f"QWidget#page, QMainWindow {{ background: {theme.background}; }}",
            f"QFrame#card, QFrame#strip, QFrame#panel {{ background: {theme.card};"
            f" border: {line}px solid {theme.edge}; border-radius: {pixels(size, 7)}px; }}",
            f"QFrame#panel {{ border: {pixels(size, 3)}px solid {theme.text}; }}",
            f'QLineEdit {{ font-family: "{FONT_FAMILY}"; font-size: {pixels(size, 18)}px;'
            f" color: {theme.text}; background: {theme.background};"
            f" border: {pixels(size, 2)}px solid {theme.edge}; padding: {pixels(size, 4)}px; }}",
            f"QLineEdit {{ placeholder-text-color: {theme.muted};"
            f" selection-background-color: {theme.main_action}; selection-color: {theme.on_main_action}; }}",
            f"QLineEdit:focus {{ border-color: {theme.text}; }}",
            f'QLineEdit[role="number"] {{ font-size: {pixels(size, 40)}px; font-weight: bold; }}',
            _labels(theme, size),
            _bands(theme, size),
            _buttons(theme, size),
        )
    )
