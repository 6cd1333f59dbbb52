"""What we rely on in Qt's binding and in the tones."""

import io
import sys
import wave
from collections.abc import Callable

import pytest
from PySide6.QtGui import QPainter, QPen, QPixmap
from PySide6.QtWidgets import QApplication, QLabel

from ui.sound import TONES, Voice, wav
from ui.view import Band


def none_drift(call: Callable[[], object], count: int = 500) -> float:
    """References to None lost or gained per call: 6.12.0 on Python 3.11 loses one, then aborts."""
    call()
    before = sys.getrefcount(None)
    for _ in range(count):
        call()
    return (sys.getrefcount(None) - before) / count


@pytest.mark.parametrize("name", ["setText", "setPen", "update", "drawLine"])
def test_void_calls_do_not_lose_none(qapp: QApplication, name: str) -> None:
    label, pixmap, pen = QLabel(), QPixmap(20, 20), QPen()
    painter = QPainter(pixmap)
    calls: dict[str, Callable[[], object]] = {
        "setText": lambda: label.setText("92.4"),
        "setPen": lambda: painter.setPen(pen),
        "update": label.update,
        "drawLine": lambda: painter.drawLine(0, 0, 9, 9),
    }
    drift = none_drift(calls[name])
    painter.end()
    assert abs(drift) < 0.05


@pytest.mark.parametrize(("band", "pulses"), [(Band.HIGH, 10), (Band.MEDIUM, 3), (Band.LOW, 1)])
def test_tones_have_the_pulses_of_their_priority(band: Band, pulses: int) -> None:
    with wave.open(io.BytesIO(wav(TONES[band]))) as file:
        frames = file.readframes(file.getnframes())
        rate = file.getframerate()
    loud = [
        abs(int.from_bytes(frames[i : i + 2], "little", signed=True)) > 300 for i in range(0, len(frames), 2)
    ]
    quiet_needed = rate * 40 // 1000
    found, quiet = 0, quiet_needed
    for is_loud in loud:
        found += is_loud and quiet >= quiet_needed
        quiet = 0 if is_loud else quiet + 1
    assert found == pulses


def test_a_voice_repeats_until_calm(qapp: QApplication) -> None:
    voice = Voice()
    voice.follow(Band.HIGH)
    assert voice._again.isActive()
    assert voice._again.interval() == TONES[Band.HIGH].again_ms
    voice.follow(Band.CALM)
    assert not voice._again.isActive()
    voice.close()
