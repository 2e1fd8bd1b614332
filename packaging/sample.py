"""Make the sample library: the records of hub/sample with the PDFs that they name, ready to import.

    python packaging/sample.py build/sample

Each language's JSON Lines are copied, and every file that a record names is typeset from its text edition with
Qt (which shapes Arabic and breaks lines in any script). Nothing is made again that is newer than its source.
"""

from __future__ import annotations

import html
import json
import os
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
    if record["lang"] in _RIGHT_TO_LEFT:
        option.setTextDirection(Qt.LayoutDirection.RightToLeft)
    document.setDefaultTextOption(option)
    document.setDefaultFont(QFont("DejaVu Serif", 10))
    document.documentLayout().setPaintDevice(writer)
    document.setPageSize(QSizeF(writer.width(), writer.height()))
    authors = ", ".join(record.get("authors", []))
    imprint = " · ".join(
        str(part) for part in (authors, record.get("publisher"), record.get("year"), record.get("licence")) if part
    )
    document.setHtml(
        f"<h1>{html.escape(record['title'])}</h1><p><i>{html.escape(imprint)}</i></p>"
        f"<p><b>{html.escape(record.get('summary', ''))}</b></p>{record['text']}"
    )
    document.print_(writer)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
