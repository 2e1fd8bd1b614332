"""Makes ICU's data small: of 32 MB the window needs the sorting of six languages and what all of ICU stands on.

Qt uses ICU to compare and sort words. Dates, numbers and their words in 500 languages, transliterations and
converters for old encodings are in the same file, a library with one symbol. This takes the entries out that
nobody asks for, and makes that library anew. The format: ICU's `ucmndata.h` (a header, then a table of names and
places, sorted).
"""

from __future__ import annotations

import re
import struct
import subprocess
import tempfile
from pathlib import Path

_LANGUAGES = "ar|en|es|fr|pt|sw"
_KEPT = re.compile(
    rf"(root|res_index|pool|icuver|icustd|keyTypeData|langInfo|likelySubtags|supplementalData|numberingSystems"
    rf"|timezoneTypes|metaZones|windowsZones|zoneinfo64|plurals|dayPeriods|genderList|({_LANGUAGES})(_[A-Z0-9]+)?)\.res"
    rf"|coll/(root|res_index|ucadata|({_LANGUAGES})(_[A-Z0-9]+)?)\.(res|icu)"
    rf"|(cnvalias|uemoji|ulayout)\.icu|(nfkc|nfkc_cf|uts46)\.nrm"
)
_ALIGNED = 16
_ASSEMBLER = """\
.section .rodata
.global {symbol}
.type {symbol}, @object
.size {symbol}, {size}
.balign 16
{symbol}:
.incbin "{file}"
.section .note.GNU-stack,"",@progbits
"""


class NotIcuData(Exception):
    """The library holds no data of ICU as it is known here; it is then taken as it is."""


def trimmed(data: bytes) -> bytes:
    """ICU's common data with the entries of `_KEPT` alone. Raises NotIcuData."""
    if len(data) < 64 or data[2:4] != b"\xda\x27" or data[12:16] != b"CmnD":
        raise NotIcuData("This is no common data of ICU.")
    start = struct.unpack_from("<H", data)[0]
    count = struct.unpack_from("<I", data, start)[0]
    table = [struct.unpack_from("<II", data, start + 4 + 8 * index) for index in range(count)]
    names = [data[start + name : data.index(b"\0", start + name)] for name, _place in table]
    ends = [place for _name, place in table[1:]] + [len(data) - start]
    kept = [
        (name, data[start + place : start + end])
        for name, (_name, place), end in zip(names, table, ends, strict=True)
        if _KEPT.fullmatch(name.decode().partition("/")[2])
    ]
    if not any(name.endswith(b"/coll/root.res") for name, _body in kept):
        raise NotIcuData("The names in this data are not those of ICU 73.")
    words = b"".join(name + b"\0" for name, _body in kept)
    first = 4 + 8 * len(kept)
    place = _up(start + first + len(words)) - start
    entries, bodies, name_at = [], [], first
    for name, body in kept:
        entries.append(struct.pack("<II", name_at, place))
        name_at += len(name) + 1
        padded = body + b"\0" * (-len(body) % _ALIGNED)
        bodies.append(padded)
        place += len(padded)
    head = data[:start] + struct.pack("<I", len(kept)) + b"".join(entries) + words
    return head + b"\0" * (_up(len(head)) - len(head)) + b"".join(bodies)


def trim_library(path: Path) -> tuple[int, int]:
    """Make the library `libicudata.so.N` small; returns its bytes before and after.

    Needs `objdump`, `objcopy` and `gcc`. Raises NotIcuData, CalledProcessError.
    """
    before = path.stat().st_size
    said = subprocess.run(["objdump", "-T", str(path)], capture_output=True, text=True, check=True).stdout
    symbol = re.search(r"\b(icudt\d+_dat)\b", said)
    if symbol is None:
        raise NotIcuData(f"{path.name} has no data.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            ["objcopy", "-O", "binary", "--only-section=.rodata", str(path), str(folder / "whole")], check=True
        )
        small = trimmed((folder / "whole").read_bytes())
        (folder / "small.dat").write_bytes(small)
        source = _ASSEMBLER.format(symbol=symbol[1], size=len(small), file="small.dat")
        (folder / "data.s").write_text(source, "ascii")
        subprocess.run(
            [
                "gcc",
                "-shared",
                "-nostdlib",
                "-s",
                f"-Wl,-soname,{path.name}",
                "-Wl,--build-id=sha1",
                "-o",
                "made",
                "data.s",
            ],
            cwd=folder,
            check=True,
        )
        path.write_bytes((folder / "made").read_bytes())
    return before, path.stat().st_size


def _up(size: int) -> int:
    return size + -size % _ALIGNED
