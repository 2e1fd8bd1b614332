"""Files of the machine: what an administrator put where ordinary people cannot write, and whether that is so.

What such a file says comes before what a person says, so it is believed only where that person could not have
written it. On POSIX every folder on the way and the file itself belong to root and are writable by nobody else. On
Windows the file belongs to the system or the administrators, and no other account may write, delete or own it.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable
from pathlib import Path

VARIABLE = "HUBSHELF_MACHINE"
"""Names another folder instead of the machine's, for who may write the program itself."""


class NotTheMachines(Exception):
    """Somebody else than an administrator could have written it. `str(error)`: who, in words."""


def redirected() -> Path | None:
    """Return the folder that stands for the machine's, or None.

    Only where the person may write the code of the program: they can make it do anything, so nothing is lost by
    believing them. A program that an administrator installed takes no such word from those who use it.
    """
    given = os.environ.get(VARIABLE)
    return Path(given) if given and _is_writable(Path(__file__).resolve().parent) else None


def machine_folder() -> Path:
    """Return where this machine's `policies.json` and `defaults.json` are."""
    if (other := redirected()) is not None:
        return other
    if sys.platform == "win32":
        from sync.windows_access import program_data

        return program_data() / "Hubshelf"
    return Path("/etc/hubshelf")


def require_the_machines(path: Path, sddl_of: Callable[[Path], str] | None = None) -> None:
    """Raise NotTheMachines where ordinary people could write `path` (a file or folder), and OSError.

    `sddl_of`: gives who may do what to a path on Windows, in the language of `ConvertSecurityDescriptorToString…`.
    """
    if sys.platform == "win32" and sddl_of is None:
        from sync.windows_access import sddl

        sddl_of = sddl
    if sddl_of is not None:
        why = strangers(sddl_of(path), folder=path.is_dir())
        if why:
            raise NotTheMachines(f"{path} can be written by others than administrators ({why})")
        return
    real = Path(os.path.realpath(path))
    mine = redirected() is not None
    # Of a folder that stands for the machine's, what is above it (a temporary folder, say) says nothing.
    for one in [real, real.parent] if mine else [real, *real.parents]:
        found = one.stat()
        if found.st_uid != 0 and not (mine and found.st_uid == os.geteuid()):
            raise NotTheMachines(f"{one} does not belong to root")
        sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX and one != real
        if sticky:
            continue  # in it nobody moves what is another's
        if found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and found.st_gid != 0 and not mine):
            raise NotTheMachines(f"{one} can be written by others than root")


def read_machine_file(path: Path, most: int) -> bytes | None:
    """Return at most `most` + 1 bytes of a file of the machine; None where there is none.

    Raises NotTheMachines, OSError.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(None, "it is no file")
    require_the_machines(path)
    # What was looked at is what is read: on POSIX nobody but root could have changed it meanwhile.
    with path.open("rb") as source:
        return source.read(most + 1)


_TRUSTED = {"SY", "BA", "S-1-5-18", "S-1-5-32-544"}
_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
"""The account of Windows' own installer."""
_ACE = re.compile(r"\(([^()]*)\)")
_RIGHTS = {
    "GA": 0x10000000, "GW": 0x40000000, "GX": 0x20000000, "GR": 0x80000000,
    "FA": 0x1F01FF, "FW": 0x120116, "FR": 0x120089, "FX": 0x1200A0,
    "WO": 0x80000, "WD": 0x40000, "RC": 0x20000, "SD": 0x10000,
    "CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100,
}  # fmt: skip
"""Names of access rights (Microsoft, “ACE Strings”), with their bits."""
_WRITES = 0x10000000 | 0x40000000 | 0x80000 | 0x40000 | 0x10000 | 0x2 | 0x4
"""All, write, take over, change who may, delete, write data (of a folder: add files), append (add folders)."""
_DELETES_WHAT_IS_IN_IT = 0x40


def strangers(sddl: str, *, folder: bool) -> str:
    """Return who else than administrators may change what an SDDL text describes; "" for nobody.

    Text that cannot be understood names somebody: what is not clear is not trusted.
    """
    owner = re.match(r"O:(S-[\d-]+|[A-Z]{2})", sddl)
    if owner is None or not _trusted(owner[1]):
        return f"it belongs to {owner[1]}" if owner else "nobody knows to whom it belongs"
    start = sddl.find("D:")
    if start < 0:
        return "everybody"  # no list at all means that all are allowed all
    writes = _WRITES | (_DELETES_WHAT_IS_IN_IT if folder else 0)
    for entry in _ACE.findall(sddl[start:].split("S:(")[0]):
        kind, flags, rights, _object, _inherited, who = (entry.split(";") + [""] * 6)[:6]
        if kind in ("D", "OD", "XD") or _trusted(who):
            continue
        if "IO" in [flags[at : at + 2] for at in range(0, len(flags), 2)]:
            continue  # only for what is made in it, which is looked at by itself
        if _bits(rights) & writes:
            return str(who)
    return ""


def _trusted(who: str) -> bool:
    return who in (*_TRUSTED, _INSTALLER)


def _bits(rights: str) -> int:
    if rights.lower().startswith("0x"):
        try:
            return int(rights, 16)
        except ValueError:
            return _WRITES
    names = [rights[at : at + 2] for at in range(0, len(rights), 2)]
    bits = 0
    for name in names:
        bits |= _RIGHTS.get(name, _WRITES)
    return bits


def _is_writable(folder: Path) -> bool:
    if sys.platform == "win32":
        # There `os.access` looks at the read-only mark alone; a build is what administrators install.
        return not getattr(sys, "frozen", False)
    return os.access(folder, os.W_OK)
