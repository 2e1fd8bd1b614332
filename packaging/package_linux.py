"""`make package-linux`: a build in one folder, a .deb and a tar.zst of it, in build/packages.

Two runs on one commit give the same bytes: the sources are those that git knows, the interpreter's environment is
made from constraints.txt, times are the commit's, names are sorted, owners are root. `--twice` proves it.
`--source DIR` packages another tree, `--number` gives it another version (for trying updates).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backports import zstd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from sync.protocol.build_folders import describe  # noqa: E402

PYINSTALLER = "pyinstaller==6.22.3"
TOOLS = ("dpkg-dev", "binutils", "desktop-file-utils", "appstream", "lintian", "librsvg2-bin")
ICONS = (16, 32, 48, 64, 128, 256)
MAINTAINER = "The Hubshelf team <team@hubshelf.example>"
DEPENDS: tuple[str, ...] = ()
RECOMMENDS = (
    "fonts-dejavu-core | fonts-noto-core",
    "fonts-noto-core",
    "gnome-keyring | kwalletmanager",
    "desktop-file-utils",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--source", type=Path, help="package this tree instead of what git knows")
    parser.add_argument("--number", help="the version, instead of that of pyproject.toml")
    parser.add_argument("--folder-only", action="store_true", help="the folder of the build, no packages")
    parser.add_argument("--twice", action="store_true", help="make it twice and compare")
    asked = parser.parse_args()
    asked.out = asked.out.resolve()
    need_tools()
    made = package(asked.out, asked.source, asked.number, asked.folder_only)
    if asked.twice:
        again = package(asked.out / "again", asked.source, asked.number, asked.folder_only)
        compare(made, again)
    for name, size in made.items():
        print(f"{size:>12,}  {name}")


def need_tools() -> None:
    """The tools of the system that are missing, by name."""
    programs = ("dpkg-deb", "dpkg-shlibdeps", "strip", "rsvg-convert")
    if all(shutil.which(one) for one in programs):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-q"], check=False, env=environment, stdout=subprocess.DEVNULL)
        run("apt-get", "install", "-y", "-q", "--no-install-recommends", *TOOLS, environment=environment)
        return
    sys.exit(f"Please install these first: {' '.join(TOOLS)}")


def package(out: Path, source: Path | None, number: str | None, folder_only: bool) -> dict[str, int]:
    """Make everything in `out`; return the names of what was made with bytes, and of each file with its hash."""
    shutil.rmtree(out / "work", ignore_errors=True)
    work = out / "work"
    work.mkdir(parents=True)
    moment = int(os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct", at=ROOT))
    tree = sources(work / "source", source)
    version = number or version_of(tree)
    if number:
        text = (tree / "pyproject.toml").read_text("utf-8")
        text = re.sub(r'^version = ".*"$', f'version = "{number}"', text, count=1, flags=re.M)
        (tree / "pyproject.toml").write_text(text, "utf-8")
    python = environment_for(tree)
    folder = build(tree, work, python, version, moment)
    result = out / "hubshelf"
    shutil.rmtree(result, ignore_errors=True)
    shutil.copytree(folder, result, symlinks=True)
    made = {"hubshelf/": sum(path.lstat().st_size for path in result.rglob("*"))}
    if not folder_only:
        archive = out / f"hubshelf-{version}-linux-x86_64.tar.zst"
        write_tar(archive, result, f"hubshelf-{version}", moment)
        deb = write_deb(out, result, tree, version, moment, work)
        shutil.copy(result / "sbom.cdx.json", out / f"hubshelf-{version}.cdx.json")
        for path in (archive, deb):
            made[path.name] = path.stat().st_size
    shutil.rmtree(work)
    return made


def sources(target: Path, source: Path | None) -> Path:
    """Copy what git knows, as it is now, or another tree, to `target`."""
    if source is not None:
        return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns(".git", ".venv", "build")))
    for name in run("git", "ls-files", "-z", at=ROOT).split("\0"):
        if name and (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def version_of(tree: Path) -> str:
    found = re.search(r'^version = "(.*)"$', (tree / "pyproject.toml").read_text("utf-8"), re.M)
    assert found is not None, "pyproject.toml has no version"
    return found[1]


def environment_for(tree: Path) -> Path:
    """The interpreter of an environment with what the desktop needs and nothing else, ours installed anew."""
    venv = ROOT / "build" / "packages" / "venv"
    python = venv / "bin" / "python"
    wanted = hashlib.sha256((tree / "constraints.txt").read_bytes() + PYINSTALLER.encode()).hexdigest()
    stamp = venv / ".made"
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", "constraints.txt"]
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(venv, ignore_errors=True)
        run(sys.executable, "-m", "venv", str(venv))
        run(str(python), *install, ".[desktop]", PYINSTALLER, at=tree)
        stamp.write_text(wanted)
    run(str(python), *install, "--no-deps", "--force-reinstall", "--no-compile", ".", at=tree)
    shutil.rmtree(tree / "build", ignore_errors=True)
    return python


def build(tree: Path, work: Path, python: Path, version: str, moment: int) -> Path:
    """The folder of the build, with its notices, its bill of materials and what it says of itself."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(moment),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    places = ["--distpath", str(work / "dist"), "--workpath", str(work / "pyinstaller")]
    run(
        *(str(python), "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", *places),
        *("packaging/hubshelf.spec",),
        at=tree,
        environment=environment,
    )
    folder = work / "dist" / "hubshelf"
    collected = work / "pyinstaller" / "hubshelf" / "collected.json"
    print(run(str(python), "packaging/materials.py", str(collected), str(folder), version, at=tree).strip())
    shutil.copy(tree / "LICENSE", folder / "LICENSE")
    shutil.copytree(tree / "packaging" / "licences", folder / "licences")
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path == folder / "hubshelf" else 0o644)
            os.utime(path, (moment, moment))
    describe(folder, version, "hubshelf")
    os.utime(folder / "build.json", (moment, moment))
    return folder


def write_tar(archive: Path, folder: Path, top: str, moment: int) -> None:
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: 19,
        zstd.CompressionParameter.checksum_flag: 1,
        zstd.CompressionParameter.window_log: 27,
    }
    with zstd.open(archive, "wb", options=options) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        for path in [folder, *sorted(folder.rglob("*"))]:
            name = Path(top) / path.relative_to(folder)
            member = tar.gettarinfo(path, str(name))
            member.uid = member.gid = 0
            member.uname = member.gname = "root"
            member.mtime = moment
            if member.isreg():
                with path.open("rb") as file:
                    tar.addfile(member, file)
            else:
                tar.addfile(member)


def write_deb(out: Path, folder: Path, tree: Path, version: str, moment: int, work: Path) -> Path:
    """The package: the folder in /usr/lib/hubshelf, the command, menu, icons, manual and a place for policies."""
    place = work / "deb"
    ours = place / "usr/lib/hubshelf"
    ours.parent.mkdir(parents=True)
    shutil.copytree(folder, ours, symlinks=True)
    (place / "usr/bin").mkdir()
    (place / "usr/bin/hubshelf").symlink_to("../lib/hubshelf/hubshelf")
    linux = tree / "packaging" / "linux"
    share = place / "usr/share"
    put(tree / "packaging" / "hubshelf.desktop", share / "applications/hubshelf.desktop")
    put(tree / "packaging" / "hubshelf.svg", share / "icons/hicolor/scalable/apps/hubshelf.svg")
    for size in ICONS:
        icon = share / f"icons/hicolor/{size}x{size}/apps/hubshelf.png"
        icon.parent.mkdir(parents=True)
        run(
            "rsvg-convert", "-w", str(size), "-h", str(size), "-o", str(icon), str(tree / "packaging/hubshelf.svg")
        )
    put(linux / "hubshelf.metainfo.xml", share / "metainfo/org.hubshelf.Hubshelf.metainfo.xml")
    put(linux / "lintian-overrides", share / "lintian/overrides/hubshelf")
    pack(linux / "hubshelf.1", share / "man/man1/hubshelf.1.gz")
    doc = share / "doc/hubshelf"
    put(ours / "THIRD-PARTY-NOTICES.txt", doc / "THIRD-PARTY-NOTICES.txt")
    licence = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: Hubshelf\n\nFiles: *\nCopyright: The Hubshelf team\nLicense: Apache-2.0\n"
        " On Debian systems the text is in /usr/share/common-licenses/Apache-2.0; works by others in this\n"
        " package and their licences are listed in THIRD-PARTY-NOTICES.txt beside this file.\n"
    )
    (doc / "copyright").write_text(licence, encoding="utf-8")
    changes = f"hubshelf ({version}) stable; urgency=medium\n\n  * See CHANGELOG.md of the project.\n\n"
    changes += f" -- {MAINTAINER}  "
    when = run("date", "-R", "-u", f"-d@{moment}", environment={**os.environ, "LC_ALL": "C"}).strip()
    (work / "changelog").write_text(changes + when + "\n", encoding="utf-8")
    pack(work / "changelog", doc / "changelog.gz")
    (place / "etc/hubshelf").mkdir(parents=True)
    control = place / "DEBIAN"
    control.mkdir()
    put(linux / "postrm", control / "postrm")
    size = (
        sum(path.stat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink()) // 1024
    )
    fields = {
        "Package": "hubshelf",
        "Version": version,
        "Section": "education",
        "Priority": "optional",
        "Architecture": "amd64",
        "Maintainer": MAINTAINER,
        "Installed-Size": str(size),
        "Depends": ", ".join(depends(ours, work)),
        "Recommends": ", ".join(RECOMMENDS),
        "Description": "education hub that works where the network does not\n"
        " Hubshelf keeps a copy of an education hub's resources and discussions on the\n"
        " computer. Reading, searching, asking and answering work without a network;\n"
        " what is new comes, and what was written goes, when there is one.",
    }
    (control / "control").write_text(
        "".join(f"{key}: {value}\n" for key, value in fields.items()), encoding="utf-8"
    )
    sums = []
    for path in sorted(place.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
        elif not path.is_symlink() and control not in path.parents:
            if ours not in path.parents:
                path.chmod(0o644)
            name = path.relative_to(place).as_posix()
            sums.append(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {name}\n")  # what dpkg --verify compares
    (control / "md5sums").write_text("".join(sums), encoding="utf-8")
    (control / "postrm").chmod(0o755)
    for name in ("control", "md5sums"):
        (control / name).chmod(0o644)
    deb = out / f"hubshelf_{version}_amd64.deb"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(moment)}
    # One thread: how many there are would be seen in what comes out.
    options = ("--root-owner-group", "--threads-max=1", "-Zxz", "-z9")
    run("dpkg-deb", *options, "--build", str(place), str(deb), environment=environment)
    return deb


def depends(folder: Path, work: Path) -> list[str]:
    """The packages that have the libraries which this build leaves to the system, found from what is linked."""
    place = work / "shlibs"
    (place / "debian").mkdir(parents=True)
    (place / "debian" / "control").write_text("Source: hubshelf\n\nPackage: hubshelf\nArchitecture: any\n")
    binaries = [
        path for path in sorted(folder.rglob("*")) if not path.is_symlink() and path.is_file() and is_elf(path)
    ]
    private = sorted({f"-l{path.parent}" for path in binaries})
    names = [f"-e{path}" for path in binaries]
    said = run("dpkg-shlibdeps", "-O", "--ignore-missing-info", *private, *names, at=place)
    found = re.search(r"shlibs:Depends=(.*)", said)
    return sorted({*(found[1].split(", ") if found else []), *DEPENDS} - {"hubshelf"})


def is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def pack(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(source.read_bytes(), 9, mtime=0))


def compare(first: Mapping[str, int], second: Mapping[str, int]) -> None:
    """Say whether two runs gave the same bytes, and which files differ; fail where one does."""
    out = ROOT / "build" / "packages"
    found: dict[str, Any] = {"same": True, "differ": []}
    for one in [*(out / "hubshelf").rglob("*"), *out.glob("hubshelf*.deb"), *out.glob("hubshelf*.zst")]:
        other = out / "again" / one.relative_to(out)
        if one.is_file() and (not other.exists() or one.read_bytes() != other.read_bytes()):
            found["differ"].append(str(one.relative_to(out)))
    found["same"] = not found["differ"] and set(first) == set(second)
    (out / "twice.json").write_text(json.dumps(found, indent=1))
    print("Both runs gave the same bytes." if found["same"] else f"They differ in: {found['differ']}")
    if not found["same"]:
        sys.exit(1)


def run(*command: str, at: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command[:6])} … failed:\n{done.stdout[-2000:]}{errors(done.stderr)}")
    return done.stdout


def errors(said: str) -> str:
    """The lines about errors, where a program says much else."""
    lines = [line[:500] for line in said.splitlines() if "error" in line.lower()]
    return "\n".join(lines[:20]) or said[-2000:]


if __name__ == "__main__":
    main()
