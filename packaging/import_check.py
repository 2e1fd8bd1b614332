"""Runs in the frozen program's place, before it is packed: imports every module that it is told, one a line.

What a package imports by itself, and was left out all the same, shows here and not on a person's PC.
"""

import importlib
import sys

failed = 0
for name in sys.stdin.read().split():
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"{name} cannot be imported: {type(error).__name__}: {error}")
        failed += 1
sys.exit(1 if failed else 0)
