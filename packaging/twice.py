"""Two builds of one commit, made from copies in two folders, compared byte for byte: what `--twice` does."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from frozen_folder import ROOT, commit_time, run


def compare(script: str, work: Path, arguments: Sequence[str], shared: Sequence[str] = ()) -> int:
    """Build what is committed two times with `script` of packaging/; 1 where a file differs, with its name.

    `shared`: folders below build/ that both take from here, such as what was fetched and is pinned by its hash.
    Raises CannotPackage.
    """
    made: list[list[Path]] = []
    commit, made_at = run("git", "-C", str(ROOT), "rev-parse", "HEAD").strip(), commit_time()
    for turn in ("first", "second"):
        folder = work / turn
        shutil.rmtree(folder, ignore_errors=True)
        source = folder / "source"
        source.mkdir(parents=True)
        run("git", "-C", str(ROOT), "archive", "--output", str(folder / "source.tar"), commit)
        run("tar", "--extract", "--file", str(folder / "source.tar"), "--directory", str(source))
        for name in shared:
            (ROOT / "build" / name).mkdir(parents=True, exist_ok=True)
            (source / "build" / name).parent.mkdir(parents=True, exist_ok=True)
            (source / "build" / name).symlink_to(ROOT / "build" / name)
        told = {"SOURCE_DATE_EPOCH": str(made_at), "PYTHONPATH": str(source)}
        out = folder / "packages"
        command = (sys.executable, str(source / "packaging" / script), "--out", str(out), *arguments)
        run(*command, environment=os.environ | told)
        made.append(sorted(path for path in out.iterdir() if path.is_file() and path.name != "largest.txt"))
    pairs = list(zip(*made, strict=True))
    differing = [pair for pair in pairs if pair[0].read_bytes() != pair[1].read_bytes()]
    for pair in pairs:
        digest = hashlib.sha256(pair[0].read_bytes()).hexdigest()
        print(f"{'differs' if pair in differing else 'the same':<10}{digest}  {pair[0].name}")
    for pair in differing:
        for name in differing_inside(*pair):
            print(f"  differs inside {pair[0].name}: {name}")
    return 1 if differing else 0


def differing_inside(first: Path, second: Path) -> list[str]:
    """The names of files that are not the same in two archives, .tar.zst or .zip; nothing of other files."""
    if not first.name.endswith((".tar.zst", ".zip")):
        return []
    one, other = _contents(first), _contents(second)
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _contents(path: Path) -> dict[str, bytes]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as packed:
            return {one.filename: hashlib.sha256(packed.read(one)).digest() for one in packed.infolist()}
    from backports import zstd

    with zstd.open(path) as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as tar:
        found = {}
        for member in tar:
            if member.isfile() and (data := tar.extractfile(member)) is not None:
                found[member.name] = hashlib.sha256(data.read()).digest()
        return found
