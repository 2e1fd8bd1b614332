"""What every package has in common: the folder that PyInstaller made is tried, looked at, described and weighed.

`package_linux.py` and `package_windows.py` make that folder and what is installed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bundle
import licences
import sbom

ROOT = bundle.ROOT
WORK = ROOT / "build" / "packaging"

sys.path.insert(0, str(ROOT))
from sync.protocol.build_folders import describe  # noqa: E402


class CannotPackage(Exception):
    """The packages cannot be made; the words say what to do."""


def commit_time() -> int:
    """Seconds since 1970 of the commit that is checked out, or what SOURCE_DATE_EPOCH says."""
    told = os.environ.get("SOURCE_DATE_EPOCH") or run("git", "-C", str(ROOT), "log", "-1", "--format=%ct")
    return int(told)


def project_version() -> str:
    """The version that pyproject.toml says."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def compiled(folder: Path) -> Iterable[Path]:
    """The files of compiled code, for Linux or for Windows."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                start = file.read(4)
            if start == b"\x7fELF" or start[:2] == b"MZ":
                yield path


def even(root: Path, made_at: int) -> None:
    """Give every file the same modes and the commit's time."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            program = (path.name == "hubshelf" and path.parent.name != "overrides") or path.suffix == ".exe"
            path.chmod(0o755 if path.is_dir() or program else 0o644)
        os.utime(path, (made_at, made_at), follow_symlinks=False)


def complete(
    folder: Path, inventory: Mapping[str, Any], version: str, made_at: int, out: Path, platform: str, program: str
) -> Path:
    """Put into the folder what goes with it (notices, licence, what is in it, what it is) and copy it to `out`.

    `platform`: as updates name it, such as linux-x86_64; `program`: what is started. Returns the list of contents
    in `out`. Raises CannotPackage.
    """
    check(inventory, folder, "win32" if platform.startswith("windows") else "linux")
    add_metadata(inventory, folder, version)
    bill = out / f"hubshelf-{version}-{platform}.cdx.json"
    bill.write_text(json.dumps(sbom.bill(inventory, folder, version, made_at), indent=1) + "\n", "utf-8")
    (out / "largest.txt").write_text(largest(folder), "utf-8")
    # Beside the program, so that an update brings them too.
    (folder / "THIRD-PARTY-NOTICES").write_text(licences.notices(inventory, f"Hubshelf {version}"), "utf-8")
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    shutil.copyfile(bill, folder / "hubshelf.cdx.json")
    even(folder, made_at)
    describe(folder, version, program, platform)
    finished = out / f"hubshelf-{platform}"
    shutil.rmtree(finished, ignore_errors=True)
    shutil.copytree(folder, finished, symlinks=True)
    return bill


def try_imports(
    folder: Path,
    starter: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
    system: str = sys.platform,
) -> None:
    """Import every module of ours, and every one that ours import, in the frozen program; then take the check
    away. `starter`: what stands before a program to run it here, such as wine."""
    names = {*bundle.own_modules(), *bundle.found_by_name(system), *bundle.imports_of_the_sources()}
    names -= {*bundle.of_other_systems(system)}
    check = next(path for path in (folder / "import-check", folder / "import-check.exe") if path.is_file())
    done = subprocess.run(
        [*starter, str(check)],
        input="\n".join(sorted(names)),
        env={**environment, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise CannotPackage(f"The packaged program is not whole:\n{done.stdout}{done.stderr}")
    check.unlink()


def check(inventory: Mapping[str, Any], folder: Path, system: str = sys.platform) -> None:
    """Everything that the sources import is in, nothing that must not be is, and no place of this machine is
    told."""
    wrong = licences.problems(inventory)
    modules = set(inventory["modules"])
    own = set(bundle.own_modules()) | set(bundle.found_by_name(system))
    wrong += [
        f"The module {name} is missing in the build: see packaging/bundle.py." for name in sorted(own - modules)
    ]
    outside = sorted(name for name in modules if name.partition(".")[0] in {"hub", "django", "tests", "pytest"})
    wrong += [f"The module {name} is no part of the client." for name in outside[:5]]
    wrong += [f"The code of {name} tells where it was built." for name in inventory["machine_paths"]]
    for source, place in bundle.own_data():
        if not (folder / "lib" / place / source.name).is_file():
            wrong.append(f"The file {place}/{source.name} is missing in the build.")
    here = [place.encode() for place in {str(ROOT), sys.base_prefix} - {"/usr", "/usr/local"}]
    for path in compiled(folder):
        data = path.read_bytes()
        # Python's library says its own prefix, which nothing here reads: the starter gives another.
        if not path.name.startswith("libpython") and any(place in data for place in here):
            wrong.append(f"{path.relative_to(folder)} tells where it was built.")
    if wrong:
        raise CannotPackage("\n".join(wrong))


def add_metadata(inventory: Mapping[str, Any], folder: Path, version: str) -> None:
    """Give each distribution its name, version and entry points, as `importlib.metadata` reads them."""
    for one in inventory["distributions"]:
        source = Path(one["folder"])
        target = folder / "lib" / source.name
        if one["name"] == "hubshelf":
            target = folder / "lib" / f"hubshelf-{version}.dist-info"
            one["version"] = version
        target.mkdir()
        words = (source / "METADATA").read_text("utf-8").partition("\n\n")[0] + "\n"  # without the page about it
        (target / "METADATA").write_text(
            re.sub(r"(?m)^Version: .*$", f"Version: {one['version']}", words), "utf-8"
        )
        if (source / "entry_points.txt").is_file():
            shutil.copyfile(source / "entry_points.txt", target / "entry_points.txt")


def largest(folder: Path, most: int = 30) -> str:
    """The largest files of the build, as a table."""
    files = sorted(
        ((p.stat().st_size, p) for p in folder.rglob("*") if p.is_file() and not p.is_symlink()), reverse=True
    )
    total = sum(size for size, _path in files)
    lines = [f"{size:>12,}  {path.relative_to(folder)}" for size, path in files[:most]]
    return "\n".join([*lines, f"{total:>12,}  all {len(files)} files"]) + "\n"


def run(*command: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run a command and return what it says. Raises CannotPackage with its words where it fails."""
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise CannotPackage(f"{' '.join(command)[:300]} failed ({done.returncode}):\n{done.stderr[-4000:]}")
    return done.stdout
