"""The window's alarm tones: made with the standard library, played when a player is there.

Pulses follow the safety sheet 6.1 (10, 3 or 1 pulse, several harmonics). Without QtMultimedia
(extra `sound`) the computer's beep is all there is; a player in error is told to the screen.
"""

import importlib
import io
import math
import struct
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, QUrl
from PySide6.QtWidgets import QApplication

from ui.view import Band

SAMPLES_S = 22_050
HARMONICS = (1, 2, 3, 4, 5)
FUNDAMENTAL_HZ = 440.0


@dataclass(frozen=True, slots=True)
class Tone:
    """A burst: gaps after each pulse, length of a pulse, pause until the burst comes again."""

    gaps_ms: tuple[int, ...]
    pulse_ms: int
    again_ms: int


TONES = {
    Band.HIGH: Tone((100, 100, 350, 100, 700, 100, 100, 350, 100, 0), 150, 10_000),
    Band.MEDIUM: Tone((200, 200, 0), 200, 20_000),
    Band.LOW: Tone((0,), 200, 30_000),
}


def _pulse(length_ms: int) -> list[float]:
    count = SAMPLES_S * length_ms // 1000
    edge = count * 15 // 100
    made = []
    for index in range(count):
        rise = min(1.0, index / edge, (count - 1 - index) / edge)
        angle = 2.0 * math.pi * FUNDAMENTAL_HZ * index / SAMPLES_S
        made.append(rise * math.fsum(math.sin(n * angle) for n in HARMONICS) / len(HARMONICS))
    return made


def wav(tone: Tone) -> bytes:
    """One burst as a WAV file: mono, 16 bit."""
    pulse = _pulse(tone.pulse_ms)
    values: list[float] = []
    for gap_ms in tone.gaps_ms:
        values += pulse
        values += [0.0] * (SAMPLES_S * gap_ms // 1000)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLES_S)
        file.writeframes(struct.pack(f"<{len(values)}h", *(round(30_000 * v) for v in values)))
    return out.getvalue()


class Voice(QObject):
    """Sounds what the view asks for, again and again, until it asks for nothing."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._band = Band.CALM
        self._multimedia = _multimedia()
        self._effects: dict[Band, Any] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._again = QTimer(self)
        self._again.timeout.connect(self._burst)
        if self._multimedia is not None:
            self._load()

    def _load(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="clampctl-sound-")
        for band, tone in TONES.items():
            path = Path(self._folder.name) / f"{band.value}.wav"
            path.write_bytes(wav(tone))
            effect = self._multimedia.QSoundEffect(self)
            effect.setSource(QUrl.fromLocalFile(str(path)))
            self._effects[band] = effect

    @property
    def audio(self) -> bool | None:
        """True when a player is ready, False when it failed, None when there is only the beep."""
        if self._multimedia is None:
            return None
        failed = self._multimedia.QSoundEffect.Status.Error
        return all(effect.status() != failed for effect in self._effects.values())

    def follow(self, band: Band) -> None:
        """Sound the tone of `band` from now on; CALM is silence."""
        if band is self._band:
            return
        self._band = band
        self._again.stop()
        if band is not Band.CALM:
            self._burst()
            self._again.start(TONES[band].again_ms)

    def close(self) -> None:
        """Fall silent and remove the tones."""
        self.follow(Band.CALM)
        if self._folder is not None:
            self._folder.cleanup()

    def _burst(self) -> None:
        if self.audio:
            self._effects[self._band].play()
        else:
            QApplication.beep()


def _multimedia() -> Any:
    """QtMultimedia, or None where the extra or a system library is missing."""
    try:
        return importlib.import_module("PySide6.QtMultimedia")
    except ImportError:
        return None
