"""Pictures of the running screen in one fixed state: `render` is used by a test and by hand."""

import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from clampctl.engine.wire import Hello, Snapshot
from tests.ui import bedside_state as bed
from ui.attachment import Attachment
from ui.pages.running import RunningPage
from ui.present import present
from ui.theme import THEMES, Theme, load_font, palette, stylesheet
from ui.view import SizeClass

SIZES = {SizeClass.SMALL: (1280, 800), SizeClass.LARGE: (1920, 1080)}


def page(
    size: SizeClass = SizeClass.SMALL,
    theme: Theme = THEMES["night"],
    hello: Hello = bed.HELLO,
    now: Snapshot = bed.NOW,
    mine: Attachment = bed.MINE,
) -> RunningPage:
    """The running page of a state, laid out at its size."""
    made = RunningPage(size, theme, hello.live)
    made.actor = mine.actor
    made.setPalette(palette(theme))
    made.setStyleSheet(stylesheet(theme, size))
    made.resize(*SIZES[size])
    made.show_view(present(hello, bed.HISTORY, now, mine, size))
    made.show()
    made.setFocus()
    QApplication.processEvents()
    return made


def render(folder: Path) -> list[Path]:
    """The four pictures of the manual."""
    made = []
    for size, (width, height) in SIZES.items():
        for name, theme in THEMES.items():
            shown = page(size, theme)
            path = folder / f"running_{width}x{height}_{name}.png"
            shown.grab().save(str(path))
            made.append(path)
            shown.close()
    return made


if __name__ == "__main__":
    application = QApplication(sys.argv[:1])
    load_font()
    render(Path(sys.argv[1]))
