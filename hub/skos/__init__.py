"""SKOS files (https://www.w3.org/TR/skos-reference/) into vocabularies that widen searches.

``reading`` understands a file and runs in a process of its own with little to spend; ``apart`` starts that
process; ``storing`` compares what it found with the hub's tables. docs/adr/0014-vocabularies.md.
"""
