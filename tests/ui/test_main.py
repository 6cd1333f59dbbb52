"""The program of a window: it shows, takes a picture, and ends, itself and nothing else."""

from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from pytestqt.qtbot import QtBot

from tests.ui.fake_engine import FakeEngine
from ui.app import main


def test_main_takes_a_picture_over_tcp_and_ends(qtbot: QtBot, tmp_path: Path) -> None:
    engine = FakeEngine()
    picture = tmp_path / "shot.png"
    assert main(engine.listen_tcp(), "day", (1280, 800), str(picture), 20.0) == 0
    assert picture.stat().st_size > 10_000
    engine.die()


def test_main_without_an_engine_says_so_and_ends(qtbot: QtBot, tmp_path: Path) -> None:
    assert main(str(tmp_path / "none.sock"), "night", (1280, 800), None, 0.05) == 0


def test_main_that_ended_early_ends_nothing_later(qtbot: QtBot, tmp_path: Path) -> None:
    engine = FakeEngine()
    main(engine.listen_tcp(), "day", (1280, 800), str(tmp_path / "shot.png"), 1.0)
    engine.die()
    passed: list[bool] = []
    QTimer.singleShot(1100, lambda: passed.append(True))
    qtbot.waitUntil(lambda: bool(passed))
    loop = QEventLoop()
    QTimer.singleShot(0, lambda: loop.exit(7))
    assert loop.exec() == 7
