"""Offscreen before any Qt import; the shipped font; no widget may outlive its test."""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[2]))  # the states and pictures beside these tests

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from ui.theme import load_font


@pytest.fixture(scope="session", autouse=True)
def _font(qapp: QApplication) -> None:
    load_font()


@pytest.fixture(autouse=True)
def _no_widget_left(qapp: QApplication) -> Iterator[None]:
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [w for w in QApplication.topLevelWidgets() if not w.isHidden()]
    for widget in left:
        widget.close()
        widget.deleteLater()
    assert left == []
