"""Citing what is on the shelf: formatted by CSL styles, or as RIS and BibTeX for other programs."""
