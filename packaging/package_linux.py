"""`make package-linux`: the .deb, the .tar.zst and the SBOM of the client for x86-64 Linux, in build/packages.

    python packaging/package_linux.py [--out DIR] [--version N] [--build DIR] [--twice]

The finished folder is there too, with its `build.json`: what `hubshelf-hub build add` gives as an update.

In order: an environment of its own from constraints.txt, PyInstaller's folder, what nobody needs taken out,
licences looked at, notices and SBOM written, then both packages. One commit gives the same bytes each time:
times are those of the commit, archives are sorted, and owners and modes are fixed. `--twice` builds two times,
in two folders, and says which files differ. `--version` gives the packages another number (to try an upgrade);
`--build` uses a folder that was built already.

Needs Debian 12 or a system like it, with the packages that `TOOLS` names; it says which are missing.
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
import tempfile
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import bundle
import icu_data
import twice
from frozen_folder import (
    WORK,
    CannotPackage,
    commit_time,
    compiled,
    complete,
    even,
    project_version,
    run,
    try_imports,
)

ROOT = bundle.ROOT
LINUX = ROOT / "packaging" / "linux"
ICONS = (16, 22, 24, 32, 48, 64, 128, 256, 512)
TOOLS = {
    "objdump": "binutils",
    "strip": "binutils",
    "objcopy": "binutils",
    "gcc": "gcc",
    "patchelf": "patchelf",
    "dpkg-deb": "dpkg",
    "dpkg-shlibdeps": "dpkg-dev",
}
LIBRARIES = """
    libegl1 libgl1 libglib2.0-0 libxkbcommon0 libfontconfig1 libfreetype6 libxcb-cursor0 libxcb-icccm4
    libxcb-image0 libxcb-keysyms1 libxcb-render-util0 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0 libx11-xcb1
    libwayland-client0 libwayland-cursor0 libcups2 libgssapi-krb5-2 libbrotli1
    """.split()  # noqa: SIM905
"""Debian's packages that the build looks into to know what the .deb depends on."""
MAINTAINER = "The Hubshelf team <packages@hubshelf.invalid>"
DEPENDS = ("ca-certificates", "init-system-helpers (>= 1.54~)", "passwd")
SCRIPTS = ("postinst", "prerm", "postrm")
UNITS = ("hubshelf-library.service", "hubshelf-library.timer")
RECOMMENDS = ("fonts-dejavu-core | fonts-noto-core", "xdg-utils")
SUGGESTS = ("gnome-keyring | keepassxc",)
RELAXED = {"libx11-xcb1": "libx11-xcb1", "libzstd1": "libzstd1 (>= 1.4.4)"}
"""Packages that do not say since when they have what, so that the newest is asked for: Qt uses one function of the
first, which was always there, and of the second what its own build system (with 1.4.4) had. Ubuntu 22.04 has older
ones."""
DESCRIPTION = """\
education hub that works where the network does not
 Hubshelf keeps a library of education resources and discussions on the
 computer, finds in it by words, and brings it up to date over any link.
 Questions and replies are kept and leave exactly once.
 .
 This is the window for readers and the command hubshelf; a hub is not in it."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "packages")
    parser.add_argument("--version", default=project_version())
    parser.add_argument("--build", type=Path, help="a folder that PyInstaller made before")
    parser.add_argument("--quick", action="store_true", help="pack fast and larger, for trying")
    parser.add_argument("--twice", action="store_true", help="build two times and compare")
    asked = parser.parse_args()
    try:
        _look_for_tools()
        if asked.twice:
            how = ["--version", asked.version, *(["--quick"] if asked.quick else [])]
            return twice.compare("package_linux.py", WORK, how)
        for made in packages(asked.out.resolve(), asked.version, asked.build, asked.quick):
            print(f"{made.stat().st_size:>12,} bytes  {made}")
    except CannotPackage as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def packages(out: Path, version: str, build: Path | None = None, quick: bool = False) -> list[Path]:
    """Make the packages in the folder `out`; returns them (where `quick`, without the .tar.zst). Raises
    CannotPackage."""
    made_at = commit_time()
    os.environ |= {"SOURCE_DATE_EPOCH": str(made_at), "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    out.mkdir(parents=True, exist_ok=True)
    python = WORK / "environment" / "bin" / "python"
    if build is None:
        python = environment(WORK / "environment")
        build = frozen(python, WORK)
    with tempfile.TemporaryDirectory(prefix="hubshelf-package-") as name:
        folder = Path(name) / "hubshelf"
        shutil.copytree(build, folder, symlinks=True)
        trim(folder)
        try_imports(folder)
        inventory = json.loads(run(str(python), str(ROOT / "packaging" / "inventory.py"), str(folder)))
        bill = complete(folder, inventory, version, made_at, out, "linux-x86_64", "hubshelf")
        share = Path(name) / "share"
        _shared_files(share, version, made_at)
        tree = Path(name) / f"hubshelf-{version}-linux-x86_64"
        deb = _deb(Path(name) / "deb", folder, share, version, made_at, out, quick)
        if quick:
            return [deb, bill]
        tar = _tar(tree, folder, share, made_at, out)
    return [deb, tar, bill]


def environment(folder: Path) -> Path:
    """A fresh environment with the client and PyInstaller, of the versions in constraints.txt; returns its
    Python."""
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(folder))
    python = folder / "bin" / "python"
    # By the environment the constraints hold for what builds the client's own wheel too.
    pinned = {"PIP_CONSTRAINT": str(ROOT / "constraints.txt"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pip = (str(python), "-m", "pip", "install", "--quiet", "--no-compile")
    run(*pip, f"{ROOT}[desktop,package]", environment=os.environ | pinned)
    return python


def frozen(python: Path, work: Path) -> Path:
    """PyInstaller's folder of the client."""
    for part in ("work", "dist"):
        shutil.rmtree(work / part, ignore_errors=True)
    run(
        *(
            str(python),
            "-m",
            "PyInstaller",
            str(ROOT / "packaging" / "hubshelf.spec"),
            "--noconfirm",
            "--log-level=WARN",
        ),
        *("--workpath", str(work / "work"), "--distpath", str(work / "dist")),
        cwd=work,
    )
    return work / "dist" / "hubshelf"


def trim(folder: Path) -> None:
    """Take away libraries that nothing loads, symbols for debugging, places of the building machine, and most of
    ICU."""
    while unwanted := _not_needed(folder):
        for path in unwanted:
            path.unlink()
    for path in sorted(compiled(folder)):
        if path.parent == folder:
            continue  # programs: their modules lie behind their end
        if path.name.startswith("libicudata.so"):
            icu_data.trim_library(path)
            continue
        said = run("objdump", "-h", "-p", str(path))
        if (found := re.search(r"(?:RPATH|RUNPATH)\s+(\S+)", said)) and not found[1].startswith("$ORIGIN"):
            run("patchelf", "--set-rpath", f"$ORIGIN/{os.path.relpath(folder / 'lib', path.parent)}", str(path))
        run("strip", "--strip-unneeded", "--preserve-dates", str(path))
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


def _not_needed(folder: Path) -> list[Path]:
    """Qt's libraries (and links to them) whose name no other compiled file asks for."""
    wanted: set[str] = set()
    for path in compiled(folder):
        wanted |= set(re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", str(path))))
    found = []
    for path in sorted(folder.rglob("lib*.so.*")):
        if path.name not in wanted and not path.name.startswith("libpython"):
            found.append(path)
    return found


def _shared_files(share: Path, version: str, made_at: int) -> None:
    """What both packages put under share/: the menu's entry, icons, the manual, the description for shops."""
    from man_page import man_page

    applications = share / "applications"
    applications.mkdir(parents=True)
    shutil.copyfile(ROOT / "packaging" / "hubshelf.desktop", applications / "hubshelf.desktop")
    scalable = share / "icons" / "hicolor" / "scalable" / "apps"
    scalable.mkdir(parents=True)
    shutil.copyfile(ROOT / "packaging" / "hubshelf.svg", scalable / "hubshelf.svg")
    for size in ICONS:
        folder = share / "icons" / "hicolor" / f"{size}x{size}" / "apps"
        folder.mkdir(parents=True)
        _drawn(ROOT / "packaging" / "hubshelf.svg", size, folder / "hubshelf.png")
    (share / "metainfo").mkdir()
    about = (LINUX / "org.hubshelf.Hubshelf.metainfo.xml").read_text("utf-8")
    day = run("date", "-u", "-d", f"@{made_at}", "+%Y-%m-%d").strip()
    about = about.replace("@VERSION@", version).replace("@DATE@", day)
    (share / "metainfo" / "org.hubshelf.Hubshelf.metainfo.xml").write_text(about, "utf-8")
    (share / "man" / "man1").mkdir(parents=True)
    _compress(man_page(version, made_at).encode(), share / "man" / "man1" / "hubshelf.1.gz")


def _drawn(drawing: Path, size: int, target: Path) -> None:
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    picture = QImage(size, size, QImage.Format.Format_ARGB32)
    picture.fill(0)
    painter = QPainter(picture)
    QSvgRenderer(str(drawing)).render(painter, QRectF(0, 0, size, size))
    painter.end()
    if not picture.save(str(target), "PNG"):
        raise CannotPackage(f"The icon {target.name} could not be drawn.")


def _compress(data: bytes, target: Path) -> None:
    target.write_bytes(gzip.compress(data, 9, mtime=0))


def _deb(
    root: Path,
    folder: Path,
    share: Path,
    version: str,
    made_at: int,
    out: Path,
    quick: bool,
) -> Path:
    program = root / "usr" / "lib" / "hubshelf"
    shutil.copytree(folder, program, symlinks=True)
    shutil.copytree(share, root / "usr" / "share")
    (root / "usr" / "bin").mkdir()
    (root / "usr" / "bin" / "hubshelf").symlink_to("../lib/hubshelf/hubshelf")
    (root / "etc" / "hubshelf").mkdir(parents=True)
    (root / "var" / "lib" / "hubshelf").mkdir(parents=True)
    docs = root / "usr" / "share" / "doc" / "hubshelf"
    docs.mkdir(parents=True)
    shutil.copyfile(LINUX / "copyright", docs / "copyright")
    for name in ("THIRD-PARTY-NOTICES", "hubshelf.cdx.json"):
        (docs / name).symlink_to(f"../../../lib/hubshelf/{name}")
    _compress((ROOT / "CHANGELOG.md").read_bytes(), docs / "CHANGELOG.md.gz")
    _compress(_changelog(version, made_at).encode(), docs / "changelog.gz")
    overrides = root / "usr" / "share" / "lintian" / "overrides"
    overrides.mkdir(parents=True)
    shutil.copyfile(LINUX / "lintian-overrides", overrides / "hubshelf")
    debian = root / "DEBIAN"
    debian.mkdir()
    units = root / "lib" / "systemd" / "system"  # where Debian 12's own tools look for it
    units.mkdir(parents=True)
    for name in UNITS:
        shutil.copyfile(LINUX / name, units / name)
    for name in SCRIPTS:
        shutil.copyfile(LINUX / name, debian / name)
    installed = sum(-(-p.stat().st_size // 1024) for p in root.rglob("*") if p.is_file() and not p.is_symlink())
    (debian / "control").write_text(control(version, installed, *needs(program)), "utf-8")
    sums = [
        f"{_md5(path)}  {path.relative_to(root).as_posix()}\n"
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink() and debian not in path.parents
    ]
    (debian / "md5sums").write_text("".join(sums))
    even(root, made_at)
    for name in SCRIPTS:
        (debian / name).chmod(0o755)
    made = out / f"hubshelf_{version}_amd64.deb"
    made.unlink(missing_ok=True)
    run(
        "dpkg-deb",
        "--root-owner-group",
        "-Zxz",
        "-z1" if quick else "-z9",
        "--threads-max=1",
        "--build",
        str(root),
        str(made),
    )
    return made


def _md5(path: Path) -> str:
    """What dpkg compares, to find files that changed by accident."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _changelog(version: str, made_at: int) -> str:
    day = format_datetime(datetime.fromtimestamp(made_at, UTC))
    head = f"hubshelf ({version}) stable; urgency=medium"
    return f"{head}\n\n  * What is new: CHANGELOG.md.gz\n\n -- {MAINTAINER}  {day}\n"


def control(version: str, installed: int, depends: list[str], recommends: list[str]) -> str:
    """The .deb's control file; `installed`: KiB on the disk."""
    return "\n".join(
        [
            "Package: hubshelf",
            f"Version: {version}",
            "Architecture: amd64",
            f"Maintainer: {MAINTAINER}",
            f"Installed-Size: {installed}",
            "Section: education",
            "Priority: optional",
            f"Depends: {', '.join([*depends, *DEPENDS])}",
            f"Recommends: {', '.join([*recommends, *RECOMMENDS])}",
            f"Suggests: {', '.join(SUGGESTS)}",
            f"Description: {DESCRIPTION}",
            "",
        ]
    )


def needs(program: Path) -> tuple[list[str], list[str]]:
    """(what the .deb depends on, what it recommends): Debian's packages of the libraries that the files link."""
    optional, needed = [], []
    own = {path.name for path in program.rglob("*.so*")}
    for path in sorted(compiled(program)):
        (optional if path.parent.name in bundle.OPTIONAL_PLUGINS else needed).append(str(path))
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "debian").mkdir()
        (Path(name) / "debian" / "control").write_text(
            "Source: hubshelf\n\nPackage: hubshelf\nArchitecture: amd64\n"
        )
        found = subprocess.run(
            [
                "dpkg-shlibdeps",
                "-O",
                "--ignore-missing-info",
                f"-l{program / 'lib'}",
                f"-S{program}",
                "-dDepends",
                *needed,
            ]
            + ["-dRecommends", *optional],
            cwd=name,
            capture_output=True,
            text=True,
        )
    lost = set(re.findall(r"cannot find library (\S+)", found.stderr)) - own
    fields = dict(re.findall(r"shlibs:(\w+)=(.*)", found.stdout))
    if lost or found.returncode or "Depends" not in fields:
        raise CannotPackage(
            f"To which package do these libraries belong? {', '.join(sorted(lost)) or found.stderr}\n"
            f"Please run: apt-get install {' '.join(LIBRARIES)}"
        )
    depends = _relaxed(fields["Depends"])
    names = {one.partition(" ")[0] for one in depends}
    return depends, [one for one in _relaxed(fields.get("Recommends", "")) if one.partition(" ")[0] not in names]


def _relaxed(field: str) -> list[str]:
    return [RELAXED.get(one.partition(" ")[0], one) for one in field.split(", ") if one]


def _tar(tree: Path, folder: Path, share: Path, made_at: int, out: Path) -> Path:
    shutil.copytree(folder, tree, symlinks=True)
    shutil.copytree(share, tree / "share")
    shutil.copyfile(ROOT / "packaging" / "desktop_entry.sh", tree / "desktop_entry.sh")
    even(tree, made_at)
    (tree / "desktop_entry.sh").chmod(0o755)
    made = out / f"{tree.name}.tar.zst"
    from backports import zstd

    options = {
        zstd.CompressionParameter.compression_level: 19,
        zstd.CompressionParameter.window_log: 26,
        zstd.CompressionParameter.nb_workers: 2,  # as many anywhere: another number cuts the work otherwise
        zstd.CompressionParameter.checksum_flag: 1,
    }
    with (
        zstd.open(made, "wb", options=options) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in [tree, *sorted(tree.rglob("*"))]:
            tar.add(path, path.relative_to(tree.parent).as_posix(), recursive=False, filter=_by_root)
    return made


def _by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _look_for_tools() -> None:
    missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    if missing:
        raise CannotPackage(f"Tools are missing. Please run: apt-get install {' '.join(missing)}")


if __name__ == "__main__":
    sys.exit(main())
