"""Where Windows keeps what is the machine's, and who may do what to a file there, as SDDL. For Windows."""

from __future__ import annotations

import ctypes
import sys
import uuid
from pathlib import Path

_FILE_OBJECT = 1
_OWNER_AND_DACL = 0x1 | 0x4
_REVISION = 1

_PROGRAM_DATA = uuid.UUID("62ab5d82-fdc1-4dc3-a9dd-070d1d495d97").bytes_le
"""FOLDERID_ProgramData."""


def program_data() -> Path:
    """Return `C:\\ProgramData`, as the system says and not a variable that a person can set. Raises OSError."""
    if sys.platform == "win32":
        found = ctypes.c_wchar_p()
        ole, shell = ctypes.WinDLL("ole32"), ctypes.WinDLL("shell32")
        failed = shell.SHGetKnownFolderPath(_PROGRAM_DATA, 0, None, ctypes.byref(found))
        try:
            if failed or not found.value:
                return Path(r"C:\ProgramData")
            return Path(found.value)
        finally:
            ole.CoTaskMemFree(found)
    raise OSError(None, "only Windows has it")


def sddl(path: Path) -> str:
    """Return owner and access list of `path` as SDDL text (Win32 `GetNamedSecurityInfoW`). Raises OSError."""
    if sys.platform == "win32":
        descriptor, text = ctypes.c_void_p(), ctypes.c_void_p()
        advapi, kernel = ctypes.WinDLL("advapi32"), ctypes.WinDLL("kernel32")
        kernel.LocalFree.argtypes = [ctypes.c_void_p]
        failed = advapi.GetNamedSecurityInfoW(
            ctypes.c_wchar_p(str(path)),
            _FILE_OBJECT,
            _OWNER_AND_DACL,
            None,
            None,
            None,
            None,
            ctypes.byref(descriptor),
        )
        if failed:
            raise ctypes.WinError(failed)
        try:
            if not advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
                descriptor, _REVISION, _OWNER_AND_DACL, ctypes.byref(text), None
            ):
                raise ctypes.WinError()
            try:
                return ctypes.wstring_at(text.value or 0)
            finally:
                kernel.LocalFree(text)
        finally:
            kernel.LocalFree(descriptor)
    raise OSError(None, "only Windows has it")
