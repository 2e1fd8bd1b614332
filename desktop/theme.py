"""Colours, fonts and spacing: one paper-like look, light and dark, from one table of colours.

Spacing is in steps of 8 device-independent pixels. Every pair of text and ground in `TEXT_PAIRS` has a
contrast of at least 4.5:1 (WCAG 2.2, success criterion 1.4.3); a test computes it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from string import Template

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

STEP = 8
FAMILIES = (
    "Noto Sans",
    "Segoe UI",
    "SF Pro Text",
    "Helvetica Neue",
    "Cantarell",
    "DejaVu Sans Condensed",
    "DejaVu Sans",
)
# Behind the first family, for scripts it lacks; Qt takes the first that has the letter.
FALLBACKS = ("Noto Sans Arabic", "Noto Naskh Arabic", "Noto Sans Ethiopic", "Noto Sans CJK SC", "DejaVu Sans")
BASE_POINTS = 10.0
READING_POINTS = 12.0
SMALLEST_SCALE, LARGEST_SCALE = 80, 200


@dataclass(frozen=True)
class Colours:
    """One scheme; every value is `#rrggbb`."""

    paper: str  # the window's ground
    rail: str  # the places at the side
    sheet: str  # what is read, and fields
    ink: str
    muted: str
    hairline: str
    edge: str  # the border of a field: 3:1 against sheet
    accent: str
    on_accent: str
    wash: str  # chosen row, chosen place
    mark: str  # found words
    good: str
    warn: str
    warn_wash: str
    yellow: str  # the four grounds of highlights
    green: str
    blue: str
    rose: str


LIGHT = Colours(
    paper="#faf8f3",
    rail="#f2eee5",
    sheet="#fffdf9",
    ink="#24221d",
    muted="#625d52",
    hairline="#e3ddd0",
    edge="#8d8778",
    accent="#0b5f57",
    on_accent="#ffffff",
    wash="#dfece8",
    mark="#fbe5a0",
    good="#27633c",
    warn="#86450a",
    warn_wash="#faecd9",
    yellow="#f3efa0",
    green="#cfe8c3",
    blue="#cde2f6",
    rose="#f7d2da",
)
DARK = Colours(
    paper="#1c1b19",
    rail="#161513",
    sheet="#23211f",
    ink="#ece7dc",
    muted="#aca599",
    hairline="#3a3733",
    edge="#7d776c",
    accent="#7accbe",
    on_accent="#0d1f1c",
    wash="#233a36",
    mark="#5c4a12",
    good="#8fd0a3",
    warn="#f2bd80",
    warn_wash="#3a2c1b",
    yellow="#4d4a12",
    green="#274a2b",
    blue="#1f4360",
    rose="#5c2b3a",
)
TEXT_PAIRS = (
    *(("ink", ground) for ground in ("paper", "rail", "sheet", "wash", "mark", "warn_wash")),
    *(("ink", ground) for ground in ("yellow", "green", "blue", "rose")),
    *(("muted", ground) for ground in ("paper", "rail", "sheet", "wash")),
    *(("accent", ground) for ground in ("paper", "rail", "sheet", "wash")),
    *(("good", ground) for ground in ("paper", "sheet", "wash")),
    *(("warn", ground) for ground in ("paper", "sheet", "wash", "warn_wash")),
    ("on_accent", "accent"),
)

_SHEET = Template("""
QWidget { color: $ink; }
QMainWindow, QWidget#page, QStackedWidget, QDialog, QWidget#column { background: $paper; }
QWidget#rail { background: $rail; }
QWidget#topline { background: $paper; }
QFrame#hairline { background: $hairline; border: none; }
QLabel { background: transparent; }
QLabel#title { font-weight: 600; }
QLabel#heading { font-weight: 600; }
QLabel#muted { color: $muted; }
QLabel#good { color: $good; }
QLabel#warn { color: $warn; }
QLabel#notice { background: $warn_wash; color: $ink; border-radius: 6px; padding: 8px 12px; }
QLineEdit, QPlainTextEdit, QDateEdit, QComboBox {
  background: $sheet; color: $ink; border: 1px solid $edge; border-radius: 6px;
  padding: 5px 8px; selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit:focus, QPlainTextEdit:focus, QDateEdit:focus, QComboBox:focus {
  border: 2px solid $accent; padding: 4px 7px; }
QLineEdit:disabled, QComboBox:disabled, QDateEdit:disabled { color: $muted; border-color: $hairline; }
QComboBox::drop-down { border: none; width: ${arrow}px; }
QComboBox::down-arrow { image: none; }
QDateEdit::drop-down { border: none; width: ${arrow}px; }
QDateEdit::down-arrow { image: none; }
QComboBox QAbstractItemView { background: $sheet; color: $ink; border: 1px solid $edge; outline: 0;
  selection-background-color: $wash; selection-color: $ink; padding: 4px; }
QPushButton { background: $sheet; color: $ink; border: 1px solid $edge; border-radius: 6px; padding: 6px 14px; }
QPushButton:hover { background: $wash; }
QPushButton:focus { border: 2px solid $accent; padding: 5px 13px; }
QPushButton:disabled { color: $muted; border-color: $hairline; background: $paper; }
QPushButton:checked { background: $wash; border-color: $accent; color: $accent; }
QPushButton#primary { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton#primary:hover { background: $accent; border-color: $ink; }
QPushButton#primary:focus { border: 2px solid $ink; }
QPushButton#primary:disabled { background: $hairline; color: $muted; border-color: $hairline; }
QPushButton#quiet, QToolButton {
  background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 5px 8px; }
QPushButton#quiet { color: $accent; }
QPushButton#quiet:hover, QToolButton:hover { background: $wash; }
QPushButton#quiet:focus, QToolButton:focus { border: 1px solid $accent; }
QPushButton#quiet:disabled { color: $muted; }
QToolButton:checked { background: $wash; }
QToolButton::menu-indicator { image: none; }
QPushButton#pill {
  border-radius: 14px; padding: 4px 14px; border: 1px solid $hairline; background: $sheet; color: $ink; }
QPushButton#pill:focus { border: 2px solid $accent; padding: 3px 13px; }
QCheckBox, QRadioButton {
  background: transparent; spacing: 8px; padding: 3px; border: 1px solid transparent; border-radius: 4px; }
QCheckBox:focus, QRadioButton:focus { border-color: $accent; }
QListView, QTextBrowser, QScrollArea { background: $paper; border: none; outline: 0; }
QTextBrowser { background: $sheet; selection-background-color: $accent; selection-color: $on_accent; }
QScrollArea > QWidget > QWidget#column { background: $paper; }
QFrame#popup { background: $sheet; border: 1px solid $edge; border-radius: 8px; }
QFrame#popup QListView { background: $sheet; }
QFrame#banner {
  background: $warn_wash; border: 1px solid $warn_wash; border-radius: 6px; margin-bottom: 8px; }
QFrame#banner[weight="quiet"] { background: $wash; border-color: $wash; }
QFrame#banner[weight="grave"] { border: 2px solid $warn; }
QFrame#reading { background: $sheet; border: none; }
QMenu { background: $sheet; color: $ink; border: 1px solid $edge; padding: 4px; }
QMenu::item { padding: 6px 20px; border-radius: 4px; }
QMenu::item:selected { background: $wash; color: $ink; }
QToolTip { background: $ink; color: $paper; border: none; padding: 4px 8px; }
QProgressBar { background: $hairline; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QSplitter::handle { background: $hairline; }
QListView#plain::item { padding: 6px 10px; border-bottom: 1px solid $hairline; }
QListView#plain::item:selected { background: $wash; color: $ink; border-bottom: 1px solid $accent; }
QTabWidget::pane { border: none; border-top: 1px solid $hairline; }
QTabBar::tab {
  background: transparent; color: $muted; border: none; border-bottom: 2px solid transparent; padding: 6px 12px; }
QTabBar::tab:selected { color: $ink; background: $sheet; border-bottom: 2px solid $accent; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $edge; border-radius: 3px; margin: 3px; min-height: 32px; min-width: 32px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
""")


def in_text(pixels: int) -> int:
    """`pixels` of a measure of text at 100 %, grown with the text: as many letters go on a line at every size."""
    return round(pixels * QGuiApplication.font().pointSizeF() / BASE_POINTS)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0..1 (WCAG 2.2, definition of relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1..21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def font_families() -> list[str]:
    """The families to use, best first, of those this machine has; never empty."""
    have = set(QFontDatabase.families())
    chosen = [name for name in FAMILIES if name in have][:1] + [name for name in FALLBACKS if name in have]
    return list(dict.fromkeys(chosen)) or [QGuiApplication.font().family()]


class Theme(QObject):
    """The look in force: colours and text size; `system_changed` when the system turned dark or light."""

    system_changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._wanted = "system"
        self.scale = 100
        self.reading_scale = 100
        self.colours = LIGHT
        self._families = font_families()
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._system_changed)

    @property
    def dark(self) -> bool:
        """Whether the dark colours are in force."""
        return self.colours is DARK

    def set(self, scheme: str = "system", scale: int = 100) -> None:
        """Put `scheme` (system, light, dark) and the text size (per cent) in force."""
        self._wanted = scheme
        self.scale = max(SMALLEST_SCALE, min(LARGEST_SCALE, scale))
        self._put_on()

    def font(self, points: float = BASE_POINTS, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """The window's typeface at `points` (before the person's text size)."""
        made = QFont(self._families[0])
        made.setFamilies(self._families)
        made.setPointSizeF(points * self.scale / 100)
        made.setWeight(weight)
        return made

    def reading_font(self) -> QFont:
        """The typeface for long reading: the person's text size, and the reader's own in per cent of it."""
        return self.font(READING_POINTS * self.reading_scale / 100)

    def colour(self, name: str) -> QColor:
        """One of the scheme's colours by name (see `Colours`)."""
        return QColor(getattr(self.colours, name))

    def _system_changed(self) -> None:
        if self._wanted == "system":
            self.system_changed.emit()

    def _put_on(self) -> None:
        system_dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        self.colours = DARK if self._wanted == "dark" or (self._wanted == "system" and system_dark) else LIGHT
        _in_force[0] = self.colours
        self._app.setFont(self.font())
        self._app.setPalette(self._palette())
        self._app.setStyleSheet(_SHEET.substitute(asdict(self.colours), arrow=in_text(14) + 8))

    def _palette(self) -> QPalette:
        role, c = QPalette.ColorRole, self.colour
        made = QPalette()
        for names, colour in (
            ((role.Window, role.Button), c("paper")),
            ((role.Base, role.ToolTipText), c("sheet")),
            ((role.AlternateBase,), c("rail")),
            ((role.WindowText, role.Text, role.ButtonText, role.BrightText, role.ToolTipBase), c("ink")),
            ((role.PlaceholderText,), c("muted")),
            ((role.Highlight, role.Link, role.LinkVisited, role.Accent), c("accent")),
            ((role.HighlightedText,), c("on_accent")),
            ((role.Mid, role.Dark, role.Shadow), c("edge")),
            ((role.Midlight, role.Light), c("hairline")),
        ):
            for name in names:
                made.setColor(name, colour)
        for name in (role.WindowText, role.Text, role.ButtonText):
            made.setColor(QPalette.ColorGroup.Disabled, name, c("muted"))
        return made


_in_force: list[Colours] = [LIGHT]


def colours() -> Colours:
    """The colours in force, for what is drawn by hand."""
    return _in_force[0]
