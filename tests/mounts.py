"""Commands with disks of their own: small ones that fill up, and ones on which nothing may be written."""

from __future__ import annotations

import shutil
import subprocess

import pytest

ALONE = ("unshare", "--mount", "--map-root-user")
"""A command in which disks can be mounted that nobody else sees."""

needs_mounts = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode != 0,
    reason="this system does not let a program mount a disk of its own",
)
