"""Imports: one reader a format, typed records in the middle, one way into the database."""

from .running import ImportReport, import_files
from .tables import parse_mapping

__all__ = ["ImportReport", "import_files", "parse_mapping"]
