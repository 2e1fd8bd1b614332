"""`make try-deb`: what a person and an administrator do with the .deb, in a bare Debian 12 that is made for it.

    python packaging/try_deb.py [--deb FILE] [--next FILE]

Run as root. A Debian 12 with nothing but apt is unpacked (made once by debootstrap and kept as a tar file), the
.deb is installed there by apt, and somebody who is not root enrols with a hub that runs outside, syncs,
searches, writes, opens the window, follows a link, gets the next version and keeps everything. A second person
of that PC joins by what an administrator decided, and a third reads what came with it, with no network. At the
end it is purged and nothing may be left. The mounts live in a namespace of this process and are gone with it,
however it ends. What was found goes to build/packages/try-deb.json, the window's picture to try-deb.png beside
it. Exit code 1: a step failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from frozen_folder import ROOT, CannotPackage
from screen import picture_of
from trial_hub import TrialHub

BIN = ROOT / ".venv" / "bin"
PLACE = ROOT / "build" / "try-deb"
PACKAGES = ROOT / "build" / "packages"
PERSON = "amina"
COLLEAGUE, READER, TENTH = "juma", "zawadi", "neema"
CHROOT = shutil.which("chroot", path="/usr/sbin:/usr/bin") or "chroot"
_INSIDE = "HUBSHELF_TRY_DEB_INSIDE"
_APT = ("apt-get", "-y", "-q", "-o", "Dpkg::Use-Pty=0")
# Places that any installation of anything writes to.
_EVERYBODYS = re.compile(
    r"/(proc|dev|sys|tmp|run|home)/|/var/(cache|log|lib/(dpkg|apt))/|/etc/ld\.so\.cache|/etc/(passwd|group|g?shadow|sub[ug]id)"
)


class Failed(Exception):
    """A step did not do what it should; the words say what happened."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--deb", type=Path, default=None, help="build/packages/hubshelf_*.deb where it is not given"
    )
    parser.add_argument("--next", type=Path, default=None, help="the version that people have after it")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        print("Please run this as root: it makes a Debian of its own in build/try-deb.", file=sys.stderr)
        return 2
    if not os.environ.get(_INSIDE):
        environment = os.environ | {_INSIDE: os.readlink("/proc/self/ns/mnt")}
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        os.execvpe("unshare", command, environment)
    deb = asked.deb or _only(PACKAGES.glob("hubshelf_*_amd64.deb"))
    newer = asked.next or _next_version()
    found: dict[str, Any] = {"deb": deb.name, "deb_bytes": deb.stat().st_size, "steps": {}}
    try:
        debian = unpacked()
        with mounted(debian), TrialHub(PLACE / "hub") as hub:
            Trial(debian, found, hub).all(deb, newer)
    except (Failed, CannotPackage) as error:
        found["failed"] = str(error)
        print(error, file=sys.stderr)
    (PACKAGES / "try-deb.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(json.dumps(found, indent=1))
    return 1 if "failed" in found else 0


class Trial:
    """The steps, in order; each is noted with its seconds, and the first that fails ends it."""

    def __init__(self, debian: Path, found: dict[str, Any], hub: TrialHub) -> None:
        self.debian, self.found, self.hub = debian, found, hub
        self.record, self.version = "", ""

    def all(self, deb: Path, newer: Path) -> None:
        self.root(*_APT, "update")
        before = self.files()
        self.step("installed by apt", lambda: self.install(deb))
        self.root("useradd", "--create-home", PERSON)
        self.step("every library is found", self.libraries)
        self.step("says its version", lambda: self.says_version(deb))
        self.step("doctor on an empty shelf", lambda: self.expect(self.person("doctor")["ok"] is True))
        self.step("enrolled", lambda: self.enrol())
        self.step("synced", self.sync)
        self.step("searched", self.search)
        self.step("question written", self.ask)
        self.step("doctor on a full shelf", lambda: self.expect(self.person("doctor")["ok"] is True))
        self.root(
            *_APT,
            "install",
            "--no-install-recommends",
            "xvfb",
            "xdotool",
            "dbus",
            "fonts-dejavu-core",
            "xdg-utils",
        )
        self.root(*_APT, "install", "--no-install-recommends", "desktop-file-utils")
        self.step("link belongs to it", self.link_belongs)
        self.step("window and link", self.window)
        self.step("another person joins by policy", self.joins_by_policy)
        self.step("one library for all people of the PC", self.one_library)
        self.step("a third reads what came with the PC, without a network", self.reads_preload)
        self.step("next version", lambda: self.upgrade(newer))
        self.step("purged", lambda: self.purge(before))

    def step(self, name: str, do: Callable[[], Any]) -> None:
        print(f"… {name}", file=sys.stderr)
        started = time.monotonic()
        said = do()
        entry: dict[str, Any] = {"seconds": round(time.monotonic() - started, 2)}
        if isinstance(said, dict):
            entry |= said
        self.found["steps"][name] = entry

    def install(self, deb: Path) -> dict[str, Any]:
        shutil.copyfile(deb, self.debian / "tmp" / deb.name)
        said = self.root(*_APT, "install", "--no-install-recommends", f"/tmp/{deb.name}")
        fetched = re.search(r"Need to get (.+?) of archives", said)
        kib = self.root("dpkg-query", "-W", "-f", "${Installed-Size}", "hubshelf")
        return {"fetched_besides": fetched[1] if fetched else "", "installed_kib": int(kib)}

    def libraries(self) -> dict[str, Any]:
        """Each compiled file finds what it links, but for the plugins whose libraries are only recommended."""
        missing = set()
        compiled = self.root("find", "/usr/lib/hubshelf", "-name", "*.so*", "-type", "f").split()
        for path in compiled:
            said = self.root("ldd", path)
            lost = re.findall(r"(\S+) => not found", said)
            if lost and "/printsupport/" not in path:
                missing.add(f"{path}: {' '.join(lost)}")
        self.expect(not missing, "\n".join(sorted(missing)))
        return {"files": len(compiled)}

    def says_version(self, deb: Path) -> dict[str, Any]:
        self.version = self.as_person("hubshelf", "--version").strip()
        self.expect(deb.name.split("_")[1] in self.version, self.version)
        return {"said": self.version}

    def enrol(self) -> dict[str, Any]:
        code = self.hub.asked("invite", f"{PERSON}@sample.hubshelf.example")["code"]
        return self.person("enrol", self.hub.address, code)

    def sync(self) -> dict[str, Any]:
        said = self.person("sync")
        self.expect(said["up_to_date"] is True and said["bytes_down"] > 10_000, str(said))
        return {key: said[key] for key in ("requests", "bytes_up", "bytes_down")}

    def search(self) -> dict[str, Any]:
        said = self.person("search", "school")
        self.expect(said["total"] > 0, str(said))
        self.record = next(one["id"] for one in said["results"] if one["kind"] == "resource")
        return {"total": said["total"]}

    def ask(self, title: str = "Roofs and rain") -> dict[str, Any]:
        body = self.debian / "home" / PERSON / "question.txt"
        body.write_text("What do others do about it?\n")
        said = self.person("ask", "--title", title, "--body-file", f"/home/{PERSON}/question.txt")
        self.expect(said["state"] == "waiting", str(said))
        return {}

    def link_belongs(self) -> dict[str, Any]:
        said = self.as_person("xdg-mime", "query", "default", "x-scheme-handler/hubshelf").strip()
        self.expect(said == "hubshelf.desktop", f"xdg-mime says {said!r}")
        return {"handler": said}

    def window(self) -> dict[str, Any]:
        """The window under a screen of its own; then a link of a resource is opened as a browser would."""
        home = self.debian / "home" / PERSON
        (home / "screen").mkdir()
        shutil.chown(home / "screen", PERSON_ID, PERSON_ID)
        screen = self.start(
            "Xvfb", ":77", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-fbdir", f"/home/{PERSON}/screen"
        )
        window = None
        try:
            self.until(lambda: (home / "screen" / "Xvfb_screen0").exists(), "Xvfb did not start")
            time.sleep(0.5)
            (home / ".local/share/Hubshelf" / "window.json").write_text('{"introduced": true, "language": "en"}')
            shutil.chown(home / ".local/share/Hubshelf" / "window.json", PERSON_ID, PERSON_ID)
            started = time.monotonic()
            window = self.start("hubshelf", display=":77")
            self.until(lambda: self.titles("Hubshelf"), "no window came")
            shown = round(time.monotonic() - started, 2)
            time.sleep(3)
            self.expect(window.poll() is None, "The window ended by itself.")
            self.picture(home, "try-deb.png")
            self.as_person("xdg-open", f"hubshelf://resource/{self.record}", display=":77")
            time.sleep(2)
            self.picture(home, "try-deb-link.png")
            first, second = (PACKAGES / name for name in ("try-deb.png", "try-deb-link.png"))
            self.expect(first.read_bytes() != second.read_bytes(), "The link changed nothing in the window.")
            memory = _pss(window.pid)
        finally:
            for process in (window, screen):
                if process is not None:
                    process.terminate()
                    process.wait(20)
        return {"window_s": shown, "pss_mib": memory}

    def joins_by_policy(self) -> dict[str, Any]:
        """Nobody types an address or a code: the administrator wrote them down once for the office."""
        made = self.hub.asked("site-code", "create", "--uses", "20", "--note", "Office 4")
        decided = {"hub_url": self.hub.address, "site_code": made["code"], "hub_key": made["hub_key"]}
        policies = self.debian / "etc" / "hubshelf" / "policies.json"
        policies.write_text(json.dumps(decided))
        self.root("useradd", "--create-home", COLLEAGUE)
        said = self.person("sync", who=COLLEAGUE)
        self.expect(said["up_to_date"] is True, str(said))
        self.expect(self.person("search", "school", who=COLLEAGUE)["total"] > 0)
        self.person("introduce", "--name", "Juma Otieno", "--email", "juma@sample.hubshelf.example", who=COLLEAGUE)
        self.expect(self.person("sync", who=COLLEAGUE)["operations_sent"] == 1)
        (joining,) = self.hub.asked("joining")["joining"]
        self.expect(joining["email"] == "juma@sample.hubshelf.example", str(joining))
        self.hub.asked("approve", joining["id"])
        shown = self.as_person("hubshelf", "--show-policy", who=COLLEAGUE)
        self.expect("LOCKED hub_url" in shown and made["code"] not in shown, shown)
        elsewhere = ("enrol", "other.example", "AAAA-BBBB-CCCC")
        self.expect(self.refused(*elsewhere)["code"] == "setting-locked", "Another hub was not refused.")
        self.expect(self.person("doctor", "--online", who=COLLEAGUE)["ok"] is True)
        return {"bytes_down": said["bytes_down"], "requests": said["requests"]}

    def one_library(self) -> dict[str, Any]:
        """What one account fetched for the PC costs the next person nothing; it is nobody's but its keeper's."""
        policies = self.debian / "etc" / "hubshelf" / "policies.json"
        policies.write_text(json.dumps({**json.loads(policies.read_text()), "machine_library_mb": 500}))
        kept = json.loads(self.root("hubshelf", "machine", "keep", "--json"))
        self.expect(kept["report"]["up_to_date"] is True, str(kept))
        library = self.debian / "var" / "lib" / "hubshelf" / "library"
        owners = {path.stat().st_uid for path in [library, *library.rglob("*")]}
        self.expect(len(owners) == 1 and owners.isdisjoint({0, PERSON_ID}), f"It belongs to {owners}")
        self.root("useradd", "--create-home", TENTH)
        said = self.person("sync", who=TENTH)
        self.expect(said["up_to_date"] is True, str(said))
        first = self.found["steps"]["another person joins by policy"]["bytes_down"]
        self.expect(said["bytes_down"] < first / 4, f"{said['bytes_down']} bytes of {first} came again")
        self.expect(self.person("doctor", who=TENTH)["ok"] is True)
        self.expect(self.refused("machine", "keep")["code"] == "not-the-keeper", "Anybody can keep the library.")
        return {"bytes_down": said["bytes_down"], "of": first, "kept": kept["bytes"]}

    def reads_preload(self) -> dict[str, Any]:
        """A pack in an image is on the shelf of whoever comes first, and no hub is asked."""
        place = self.debian / "var" / "lib" / "hubshelf" / "preload"
        place.mkdir()
        self.hub.asked("pack", "export", str(place / "library.hubshelf-pack"))
        self.root("useradd", "--create-home", READER)
        self.hub.asked("site-code", "revoke", str(self.hub.asked("site-code", "list")["site_codes"][0]["id"]))
        started = time.monotonic()
        said = self.person("pack", "import", "--preload", who=READER)
        took = round(time.monotonic() - started, 2)
        total = self.person("search", "school", who=READER)["total"]
        self.expect(total == self.person("search", "school", who=COLLEAGUE)["total"], f"{total}: {said}")
        self.expect(self.person("status", who=READER)["by_pack"] is not None)
        return {"total": total, "seconds_to_read": took}

    def upgrade(self, newer: Path) -> dict[str, Any]:
        self.ask("Roofs and wind")
        total = self.person("search", "school")["total"]
        shutil.copyfile(newer, self.debian / "tmp" / newer.name)
        self.root(*_APT, "install", "--no-install-recommends", f"/tmp/{newer.name}")
        said = self.as_person("hubshelf", "--version").strip()
        self.expect(newer.name.split("_")[1] in said and said != self.version, said)
        self.expect(self.person("search", "school")["total"] == total, "The search finds something else.")
        states = {one["title"]: one["state"] for one in self.person("outbox")["items"]}
        self.expect(states.get("Roofs and wind") == "waiting", f"The question is gone: {states}")
        self.expect(self.person("sync")["operations_sent"] == 1, "The question was not sent.")
        return {"said": said}

    def purge(self, before: set[str]) -> dict[str, Any]:
        """Nothing is left but what other packages own, and the person's home."""
        (self.debian / "etc" / "hubshelf" / "policies.json").write_text("{}\n")
        self.root(*_APT, "purge", "hubshelf")
        left = self.files() - before
        ours = sorted(path for path in left if "hubshelf" in path.lower())
        self.expect(not ours, f"Left after the purge: {ours}")
        # Lists of menus, links and icons that other programs keep; dpkg and apt remember what they did, and
        # /etc/passwd- is how that file was before.
        said = self.root(
            "sh",
            "-c",
            "grep -rIl hubshelf /etc /usr/share /var/lib --exclude-dir=dpkg --exclude-dir=apt --exclude='*-'"
            " || true",
        )
        self.expect(not said.strip(), f"These files still name it: {said}")
        owned = {
            line for one in self.debian.glob("var/lib/dpkg/info/*.list") for line in one.read_text().split("\n")
        }
        nobodys = sorted(left - owned)
        kept = self.debian / "home" / PERSON / ".local" / "share" / "Hubshelf" / "own.db"
        self.expect(kept.is_file(), "The person's own work is gone.")
        # Among these are what the packages that came with it made for themselves, such as links to certificates.
        return {"of_no_package": len(nobodys), "such_as": nobodys[:10]}

    def expect(self, right: bool, said: str = "") -> None:
        if not right:
            raise Failed(f"{list(self.found['steps'])[-1:]} and then: {said or 'not as expected'}")

    def until(self, right: Callable[[], Any], said: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not right():
            self.expect(time.monotonic() < end, said)
            time.sleep(0.02)

    def root(self, *command: str) -> str:
        """Run a command as root in that Debian; returns what it says. Raises Failed."""
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
        }
        return _said([CHROOT, str(self.debian), *command], environment)

    def as_person(self, *command: str, display: str = "", who: str = PERSON) -> str:
        """Run a command as a person. Raises Failed."""
        return _said(self._personal(command, who), self._environment(display, who))

    def person(self, *arguments: str, who: str = PERSON) -> dict[str, Any]:
        """Run `hubshelf … --json` as a person; returns its document."""
        answer: dict[str, Any] = json.loads(self.as_person("hubshelf", *arguments, "--json", who=who))
        return answer

    def refused(self, *arguments: str) -> dict[str, Any]:
        """The error with which `hubshelf … --json` ends for the person."""
        command = self._personal(("hubshelf", *arguments, "--json"))
        done = subprocess.run(command, env=self._environment(""), capture_output=True, text=True)
        error: dict[str, Any] = json.loads(done.stdout).get("error") or {}
        return error

    def start(self, *command: str, display: str = "") -> subprocess.Popen[bytes]:
        log = (PLACE / f"{command[0]}.log").open("wb")
        return subprocess.Popen(self._personal(command), env=self._environment(display), stdout=log, stderr=log)

    def titles(self, name: str) -> bool:
        command = self._personal(("xdotool", "search", "--onlyvisible", "--name", name))
        return subprocess.run(command, env=self._environment(":77"), capture_output=True).returncode == 0

    def picture(self, home: Path, name: str) -> None:
        """The screen, which Xvfb keeps in a file in xwd's format, as PNG."""
        picture_of(home / "screen" / "Xvfb_screen0", PACKAGES / name)

    def files(self) -> set[str]:
        """Every file and folder but those that any installation changes."""
        said = self.root(
            "find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/sys", ")", "-prune", "-o", "-print"
        )
        return {path for path in said.split("\n") if path and not _EVERYBODYS.match(path + "/")}

    def _personal(self, command: tuple[str, ...], who: str = PERSON) -> list[str]:
        return [CHROOT, f"--userspec={who}:{who}", str(self.debian), *command]

    def _environment(self, display: str, who: str = PERSON) -> dict[str, str]:
        found = {"PATH": "/usr/bin:/bin", "HOME": f"/home/{who}", "LANG": "C.UTF-8", "HUBSHELF_KEYRING": "off"}
        return found | ({"DISPLAY": display} if display else {})


PERSON_ID = 1000


def unpacked() -> Path:
    """A bare Debian 12 in a folder, fresh each time. Raises Failed."""
    kept, debian = PLACE / "bookworm.tar", PLACE / "debian"
    PLACE.mkdir(parents=True, exist_ok=True)
    if debian.exists():
        _said(["rm", "-rf", "--one-file-system", str(debian)])
    if not kept.is_file():
        made = PLACE / "bookworm"
        _said(["rm", "-rf", "--one-file-system", str(made)])
        _said(["debootstrap", "--variant=minbase", "bookworm", str(made), *_mirror()])
        _said(
            [
                "tar",
                "--create",
                "--file",
                f"{kept}.new",
                "--directory",
                str(made),
                "--numeric-owner",
                "--one-file-system",
                ".",
            ]
        )
        os.replace(f"{kept}.new", kept)
        _said(["rm", "-rf", "--one-file-system", str(made)])
    debian.mkdir()
    _said(
        [
            "tar",
            "--extract",
            "--file",
            str(kept),
            "--directory",
            str(debian),
            "--numeric-owner",
            "--preserve-permissions",
        ]
    )
    for name in ("resolv.conf", "hosts"):
        shutil.copyfile(f"/etc/{name}", debian / "etc" / name)
    return debian


@contextmanager
def mounted(debian: Path) -> Iterator[None]:
    """With what programs ask of a system: /proc and shared memory, in this process's own namespace of mounts."""
    if os.readlink("/proc/self/ns/mnt") == os.environ[_INSIDE]:
        raise Failed("This must run in a namespace of mounts of its own (unshare).")
    _said(["mount", "-t", "proc", "proc", str(debian / "proc")])
    _said(["mount", "-t", "tmpfs", "tmpfs", str(debian / "dev" / "shm")])
    try:
        yield
    finally:
        for name in ("dev/shm", "proc"):
            subprocess.run(["umount", "--lazy", str(debian / name)], check=False)


def _next_version() -> Path:
    """The same program under the next number, as an upgrade brings it."""
    out = PLACE / "next"
    build = ROOT / "build" / "packaging" / "dist" / "hubshelf"
    number = _only(PACKAGES.glob("hubshelf_*_amd64.deb")).name.split("_")[1]
    newer = re.sub(r"\d+$", lambda match: str(int(match[0]) + 1), number)
    script = str(ROOT / "packaging" / "package_linux.py")
    _said([str(BIN / "python"), script, "--quick", "--build", str(build), "--version", newer, "--out", str(out)])
    return out / f"hubshelf_{newer}_amd64.deb"


def _mirror() -> list[str]:
    """Where this machine gets its Debian from, if it says so in its sources."""
    for path in [*Path("/etc/apt").glob("sources.list.d/*.sources"), Path("/etc/apt/sources.list")]:
        if path.is_file() and (
            said := re.search(r"(?m)^(?:URIs:|deb(?: \[.*\])?)\s+(\S+/debian/?)(?:\s|$)", path.read_text())
        ):
            return [said[1]]
    return []


def _pss(pid: int) -> int:
    said = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"(?m)^Pss:\s+(\d+)", said)[1]) // 1024  # type: ignore[index]


def _only(found: Iterator[Path]) -> Path:
    paths = sorted(found, key=lambda path: path.stat().st_mtime)
    if not paths:
        raise SystemExit("There is no .deb in build/packages; run make package-linux first.")
    return paths[-1]


def _said(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Failed(
            f"{' '.join(command)[-300:]} failed ({done.returncode}):\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
