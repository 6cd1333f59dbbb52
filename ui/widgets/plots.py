"""Three plots on one time axis: past solid, future dashed, "now" a line, events as numbered flags.

pyqtgraph paints only what changed; no OpenGL. What the curves hold is decided in `curves`.
"""

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QVBoxLayout

from ui.curves import FLAG_SHARE, FLAGS_MAX
from ui.theme import FONT_FAMILY, Theme, pixels
from ui.view import Curve, PlotsView, PlotView, SizeClass, Tone
from ui.widgets.parts import Label, card

DASH = Qt.PenStyle.DashLine
ROW_STRETCH = (10, 7, 6)


LEFT_EDGE = 0.15
"""So near the plot's left edge a flag stands right of its line, or it would be cut."""


class _Plot:
    """One plot: its lines and its look."""

    def __init__(self, size: SizeClass, tone: Tone, fill: bool, lowest: bool) -> None:
        self.item: Any = pg.PlotItem()
        self.item.hideButtons()
        self.item.setMenuEnabled(False)
        self.item.setMouseEnabled(False, False)
        self.item.getViewBox().setDefaultPadding(0.0)
        self.item.disableAutoRange()
        self._size, self._tone, self._fill = size, tone, fill
        self.now: Any = pg.InfiniteLine(angle=90)
        self._past: Any = pg.PlotDataItem(connect="finite", antialias=True)
        self._future: Any = pg.PlotDataItem(connect="finite", antialias=True)
        self._dots: Any = pg.ScatterPlotItem(size=pixels(size, 8))
        self._rings: Any = pg.ScatterPlotItem(size=pixels(size, 9), symbol="t")
        for line in (self._past, self._future, self._dots, self._rings, self.now):
            self.item.addItem(line)
        left = self.item.getAxis("left")
        left.setWidth(pixels(size, 46))
        font = QFont(FONT_FAMILY)
        font.setPixelSize(pixels(size, 13))
        for name in ("left", "bottom"):
            axis = self.item.getAxis(name)
            axis.setStyle(tickFont=font, tickLength=-pixels(size, 4), maxTickLevel=0, maxTextLevel=0)
        self.item.getAxis("bottom").setStyle(showValues=lowest)
        self.item.layout.setRowFixedHeight(0, pixels(size, 22))
        self._shown: PlotView | None = None
        self._title = ""

    def dress(self, theme: Theme, grey: bool) -> None:
        """Put on the colours of a theme; grey when the engine is lost."""
        size = self._size
        colour = theme.muted if grey else theme.tone(self._tone)
        width = pixels(size, 3 if self._tone is Tone.TEXT else 2)
        self._past.setPen(pg.mkPen(colour, width=width))
        self._future.setPen(pg.mkPen(colour, width=pixels(size, 2), style=DASH))
        self._dots.setPen(pg.mkPen(theme.card, width=1))
        self._dots.setBrush(pg.mkBrush(colour))
        self._rings.setPen(pg.mkPen(theme.muted, width=pixels(size, 2)))
        self._rings.setBrush(pg.mkBrush(theme.card))
        if self._fill:
            wash = QColor(colour)
            wash.setAlpha(45)
            self._past.setFillLevel(0.0)
            self._past.setFillBrush(pg.mkBrush(wash))
        self.now.setPen(pg.mkPen(theme.text, width=pixels(size, 2)))
        for name in ("left", "bottom"):
            axis = self.item.getAxis(name)
            axis.setPen(pg.mkPen(theme.muted))
            axis.setTextPen(pg.mkPen(theme.text))
        self._title_colour = theme.muted
        self._write_title(self._title)

    def _write_title(self, text: str) -> None:
        self._title = text
        self.item.setTitle(text, color=self._title_colour, size=f"{pixels(self._size, 14)}px")

    def show_plot(self, view: PlotView) -> None:
        """Set the lines that changed."""
        if view == self._shown:
            return
        before = self._shown
        self._shown = view
        if view.title != self._title:
            self._write_title(view.title)
        for item, curve, old in (
            (self._past, view.past, before and before.past),
            (self._future, view.future, before and before.future),
            (self._dots, view.points, before and before.points),
            (self._rings, view.doubted, before and before.doubted),
        ):
            if curve != old:
                _set(item, curve)
        self.item.setYRange(view.low, view.high, padding=0.0)


def _set(item: Any, curve: Curve) -> None:
    item.setData(x=np.array(curve.minutes, dtype=float), y=np.array(curve.values, dtype=float))


class Plots:
    """The middle of the screen."""

    def __init__(self, size: SizeClass, theme: Theme) -> None:
        self.frame, layout = card(size)
        self._size, self._theme = size, theme
        self._canvas: Any = pg.GraphicsLayoutWidget()
        self._canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._canvas.setFrameShape(self._canvas.Shape.NoFrame)
        self._canvas.ci.layout.setSpacing(0)
        self._canvas.ci.setContentsMargins(0, 0, pixels(size, 12), 0)
        self._canvas.setMinimumSize(pixels(size, 300), pixels(size, 300))
        self._glucose = _Plot(size, Tone.TEXT, fill=False, lowest=False)
        self._gir = _Plot(size, Tone.INFUSION, fill=True, lowest=False)
        self._insulin = _Plot(size, Tone.INSULIN, fill=True, lowest=True)
        self._all = (self._glucose, self._gir, self._insulin)
        for index, (plot, stretch) in enumerate(zip(self._all, ROW_STRETCH, strict=True)):
            self._canvas.addItem(plot.item, index, 0)
            self._canvas.ci.layout.setRowStretchFactor(index, stretch)
        self._band: Any = pg.LinearRegionItem(orientation="horizontal", movable=False)
        self._target: Any = pg.InfiniteLine(angle=0)
        self._glucose.item.addItem(self._band)
        self._glucose.item.addItem(self._target)
        self._flags: list[Any] = [pg.TextItem(anchor=(1.0, 0.0)) for _ in range(FLAGS_MAX)]
        self._lines: list[Any] = [pg.InfiniteLine(angle=90) for _ in range(FLAGS_MAX)]
        font = QFont(FONT_FAMILY)
        font.setPixelSize(pixels(size, 13))
        font.setBold(True)
        for flag, line in zip(self._flags, self._lines, strict=True):
            flag.setFont(font)
            self._glucose.item.addItem(line, ignoreBounds=True)
            self._glucose.item.addItem(flag, ignoreBounds=True)
        self._now_word: Any = pg.TextItem("now", anchor=(0.0, 1.0))
        self._now_word.setFont(font)
        self._glucose.item.addItem(self._now_word, ignoreBounds=True)
        self._axis = Label("small", Tone.MUTED)
        self._axis.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._words = Label("small")
        self._add_to(layout)
        self._shown: PlotsView | None = None
        self.dress(theme)

    def _add_to(self, layout: QVBoxLayout) -> None:
        layout.addWidget(self._words)
        layout.addWidget(self._canvas, 1)
        layout.addWidget(self._axis)

    def dress(self, theme: Theme) -> None:
        """Put on a theme; nothing is rebuilt or moved."""
        self._theme = theme
        self._canvas.setBackground(theme.card)
        grey = self._shown is not None and self._shown.grey
        for plot in self._all:
            plot.dress(theme, grey)
        wash = QColor(theme.muted)
        wash.setAlpha(50)
        self._band.setBrush(pg.mkBrush(wash))
        for line in self._band.lines:
            line.setPen(pg.mkPen(None))
        self._target.setPen(pg.mkPen(theme.muted, width=1, style=Qt.PenStyle.DotLine))
        for flag, line in zip(self._flags, self._lines, strict=True):
            flag.setColor(theme.text)
            flag.fill = pg.mkBrush(theme.face)
            flag.border = pg.mkPen(theme.muted)
            line.setPen(pg.mkPen(theme.muted, width=1))
        self._now_word.setColor(theme.text)

    def show_plots(self, view: PlotsView) -> None:
        """Show three curves, the flags and now."""
        before, self._shown = self._shown, view
        if view == before:
            return
        if before is None or before.grey != view.grey:
            for plot in self._all:
                plot.dress(self._theme, view.grey)
        for plot, part in zip(self._all, (view.glucose, view.gir, view.insulin), strict=True):
            plot.show_plot(part)
            plot.item.setXRange(view.start_min, view.end_min, padding=0.0)
            plot.now.setValue(view.now_min)
        self._band.setRegion(view.band)
        self._target.setValue(view.target)
        self._now_word.setText(view.now_word)
        self._now_word.setPos(view.now_min, view.glucose.low)
        self._axis.say(view.axis)
        self._words.say(view.flag_words)
        self._show_flags(view)

    def _show_flags(self, view: PlotsView) -> None:
        top, span = view.glucose.high, view.glucose.high - view.glucose.low
        for index in range(FLAGS_MAX):
            flag, line = self._flags[index], self._lines[index]
            known = index < len(view.flags)
            flag.setVisible(known)
            line.setVisible(known)
            if known:
                at = view.flags[index]
                flag.setText(at.label)
                near_left = at.minute - view.start_min < LEFT_EDGE * (view.end_min - view.start_min)
                flag.setAnchor((0.0, 0.0) if near_left else (1.0, 0.0))
                flag.setPos(at.minute, top - span * FLAG_SHARE * at.level)
                line.setValue(at.minute)
