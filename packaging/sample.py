"""Make the sample library: the records of hub/sample with the PDFs that they name, ready to import.

    python packaging/sample.py build/sample

Each language's JSON Lines are copied, and every file that a record names is typeset from its text edition with
Qt (which shapes Arabic and breaks lines in any script). Nothing is made again that is newer than its source.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QMarginsF, QSizeF, Qt
from PySide6.QtGui import (
    QFont,
    QGuiApplication,
    QPageLayout,
    QPageSize,
    QPdfWriter,
    QTextDocument,
    QTextOption,
)

SOURCE = Path(__file__).resolve().parent.parent / "hub" / "sample"
_STYLE = """
h1 { font-size: 20pt; font-weight: 600; }
h2 { font-size: 13pt; font-weight: 600; margin-top: 14px; }
p, li { line-height: 145%; }
.imprint { color: #5a6270; }
.summary { font-size: 10.5pt; }
"""
_TABLE = '<table border="1" cellspacing="0" cellpadding="6" style="border-collapse: collapse" width="100%">'
_CELL = re.compile(r"<t[hd].*?</t[hd]>", re.S)
_RIGHT_TO_LEFT = {"ar", "fa", "ur", "he"}


def main(target: Path) -> None:
    (target / "files").mkdir(parents=True, exist_ok=True)
    application = QGuiApplication.instance() or QGuiApplication(["sample"])
    made = 0
    for source in sorted(SOURCE.glob("*.jsonl")):
        copy = target / source.name
        if not copy.exists() or copy.stat().st_mtime < source.stat().st_mtime:
            shutil.copyfile(source, copy)
        for line in source.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            for file in record.get("files", []):
                pdf = target / file["path"]
                if not pdf.exists() or pdf.stat().st_mtime < source.stat().st_mtime:
                    typeset(record, pdf)
                    made += 1
    del application
    if made:
        print(f"{made} PDFs made in {target / 'files'}", file=sys.stderr)


def typeset(record: dict[str, Any], target: Path) -> None:
    """Write the text edition of a resource as an A4 PDF."""
    writer = QPdfWriter(str(target))
    writer.setTitle(record["title"])
    writer.setCreator("Hubshelf sample library")
    writer.setResolution(300)
    writer.setPageLayout(
        QPageLayout(
            QPageSize(QPageSize.PageSizeId.A4),
            QPageLayout.Orientation.Portrait,
            QMarginsF(22, 22, 22, 22),
            QPageLayout.Unit.Millimeter,
        )
    )
    document = QTextDocument()
    option = QTextOption()
    right_to_left = record["lang"] in _RIGHT_TO_LEFT
    if right_to_left:
        option.setTextDirection(Qt.LayoutDirection.RightToLeft)
    document.setDefaultTextOption(option)
    # The sans is drawn for every script of the sample; the serif has no Arabic in its italic.
    document.setDefaultFont(QFont("DejaVu Sans", 9))
    document.setDefaultStyleSheet(_STYLE)
    document.documentLayout().setPaintDevice(writer)
    document.setPageSize(QSizeF(writer.width(), writer.height()))
    authors = ", ".join(record.get("authors", []))
    imprint = " · ".join(
        str(part) for part in (authors, record.get("publisher"), record.get("year"), record.get("licence")) if part
    )
    document.setHtml(
        f"<h1>{html.escape(record['title'])}</h1><p class='imprint'>{html.escape(imprint)}</p>"
        f"<p class='summary'>{html.escape(record.get('summary', ''))}</p><hr>"
        + _laid_out(record["text"], right_to_left)
    )
    document.print_(writer)


def _laid_out(text: str, right_to_left: bool) -> str:
    """The text with ruled tables; Qt does not mirror a table's columns, so they are put the other way round."""
    if right_to_left:
        text = re.sub(
            r"<tr>(.*?)</tr>", lambda row: f"<tr>{''.join(_CELL.findall(row[1])[::-1])}</tr>", text, flags=re.S
        )
    return text.replace("<table>", _TABLE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
