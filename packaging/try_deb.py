"""`make try-deb`: the package in a bare Debian 12, as an IT team and a person would use it.

Root only. A fresh system by debootstrap (its packages kept in build/try/base.tar), the package installed with apt,
a person who enrols with a hub outside over loopback, syncs, searches, and has the window before their eyes; an
upgrade with the person's data kept; a purge that leaves nothing. What was seen: build/packages/try-deb.json. Each
command has its own mount namespace, so that nothing is left mounted whatever happens.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.programs import HubProgram, write_records  # noqa: E402

PERSON = "amina"
NEEDED = ("xvfb", "xauth", "imagemagick", "x11-utils", "xdg-utils")
"""Beside the package, to see what a person sees."""
_IN = (
    'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/tmp" && '
    'exec chroot "$0" /bin/sh -c "$1"'
)


class System:
    """A Debian 12 in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command: str, *, user: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a line of shell in it, as root or as `user`."""
        if user:
            command = f"su {user} -s /bin/sh -c {json.dumps(command)}"
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "DEBIAN_FRONTEND": "noninteractive",
            "LANG": "C.UTF-8",
            "HOME": f"/home/{user}" if user else "/root",
        }
        line = ["unshare", "--mount", "sh", "-c", _IN, str(self.folder), command]
        done = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False, env=environment)
        if check and done.returncode != 0:
            sys.exit(f"In the system: {command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def says(self, command: str) -> dict[str, Any]:
        """What a command of Hubshelf answers the person."""
        answer: dict[str, Any] = json.loads(self.run(f"hubshelf {command} --json", user=PERSON).stdout)
        return answer

    def files(self) -> dict[str, str]:
        """Everything in it but what caches and logs of the system and homes of people have."""
        passed = ("proc", "dev", "sys", "tmp", "run", "home", "root", "var/cache", "var/log", "var/lib/apt")
        found = {}
        for parent, folders, files in os.walk(self.folder):
            inside = Path(parent).relative_to(self.folder).as_posix()
            folders[:] = [one for one in folders if f"{inside}/{one}".removeprefix("./") not in passed]
            for name in [*folders, *files]:
                found[f"{inside}/{name}".removeprefix("./")] = ""
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="the package of a version")
    parser.add_argument("new", type=Path, help="the package of the next one")
    asked = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("Root is needed to make a system in a folder.")
    place = ROOT / "build" / "try"
    place.mkdir(parents=True, exist_ok=True)
    system = System(fresh(place))
    seen: dict[str, Any] = {"old": asked.old.name, "new": asked.new.name, "bytes": asked.old.stat().st_size}
    try:
        with HubProgram(place / "hub").init() as hub:
            walk(system, hub, asked.old.resolve(), asked.new.resolve(), seen)
    finally:
        shutil.rmtree(place / "hub", ignore_errors=True)
        shutil.rmtree(system.folder, ignore_errors=True)
    (ROOT / "build" / "packages" / "try-deb.json").write_text(json.dumps(seen, indent=1), "utf-8")
    print(json.dumps(seen, indent=1))


def fresh(place: Path) -> Path:
    """A new system; what a first run fetched serves the next ones."""
    folder, base = place / "system", place / "base.tar"
    shutil.rmtree(folder, ignore_errors=True)
    if not base.exists():
        if shutil.which("debootstrap") is None:
            sys.exit("Please install debootstrap first.")
        subprocess.run(
            ["debootstrap", "--variant=minbase", "bookworm", folder], check=True, stdout=subprocess.DEVNULL
        )
        for name in ("resolv.conf", "hosts"):
            shutil.copy(Path("/etc") / name, folder / "etc" / name)
        for one in Path("/etc/apt/apt.conf.d").glob("99*"):
            shutil.copy(one, folder / "etc/apt/apt.conf.d" / one.name)
        system = System(folder)
        system.run("apt-get update -q")
        system.run(f"apt-get install -y -q --no-install-recommends {' '.join(NEEDED)} && apt-get clean")
        system.run(f"useradd --create-home --shell /bin/sh {PERSON}")
        subprocess.run(["tar", "cf", base, "-C", folder, "."], check=True)
    else:
        folder.mkdir()
        subprocess.run(["tar", "xf", base, "-C", folder], check=True)
    return folder


def walk(system: System, hub: HubProgram, old: Path, new: Path, seen: dict[str, Any]) -> None:
    """Install, enrol, sync, search, look, upgrade, purge."""
    before = system.files()
    install(system, old)
    seen["version"] = system.run("hubshelf --version", user=PERSON).stdout.strip()
    seen["doctor"] = system.says("doctor")["ok"]
    hub.run("import", write_records(hub.home / "records.jsonl", records(200)))
    hub.run("publish")
    hub.start()
    code = hub.run("invite", "amina@ministry.example", "--name", "Amina")["code"]
    system.says(f"enrol {hub.url} {code}")
    seen["sync"] = system.says("sync")["bytes_down"]
    seen["found"] = system.says("search 'radio lesson'")["total"]
    system.says("ask --title 'Who pays for the radios?' --body-file /etc/hostname")
    seen["warm_start_s"] = min(timed(lambda: system.run("hubshelf --version", user=PERSON)) for _ in range(3))
    seen["window"] = grab(system, "")
    handler = system.run("xdg-mime query default x-scheme-handler/hubshelf", user=PERSON).stdout.strip()
    seen["handler"] = handler
    seen["link"] = grab(system, "open --in-window hubshelf://resource/r7")
    install(system, new)
    seen["upgraded"] = system.run("hubshelf --version", user=PERSON).stdout.strip()
    seen["kept"] = len(system.says("outbox")["items"])
    seen["sent"] = system.says("sync")["bytes_up"] > 0
    seen["delivered"] = len(hub.run("questions")["questions"])
    # A policy, as an IT team would leave one, and what only the computer has.
    (system.folder / "etc/hubshelf/policies.json").write_text("{}")
    (system.folder / "var/lib/hubshelf").mkdir()
    system.run("apt-get purge -y -q hubshelf && apt-get autoremove --purge -y -q")
    left = sorted(set(system.files()) - set(before))
    seen["left"] = [one for one in left if not one.startswith(("etc/ld.so.cache", "var/lib/dpkg/info/"))]
    seen["person_keeps"] = (system.folder / f"home/{PERSON}/.local/share/Hubshelf/own.db").exists()
    wanted = seen["found"] and seen["kept"] == 1 and seen["delivered"] == 1 and seen["person_keeps"]
    if not wanted or handler != "hubshelf.desktop" or [one for one in seen["left"] if "hubshelf" in one]:
        print(json.dumps(seen, indent=1))
        sys.exit("Something is not as it should be.")


def install(system: System, deb: Path) -> None:
    shutil.copy(deb, system.folder / "root" / deb.name)
    system.run(f"apt-get install -y -q /root/{deb.name}")
    (system.folder / "root" / deb.name).unlink()


def grab(system: System, arguments: str) -> str:
    """Open the window before a screen of its own, and keep a picture of it."""
    name = "link.png" if arguments else "window.png"
    picture = f"/home/{PERSON}/{name}"
    look = f"import -window root {picture}; xwininfo -root -tree > {picture}.txt"
    shown = f"(hubshelf {arguments} & sleep 12; {look}; kill $!)"
    line = f"xvfb-run -a -s '-screen 0 1280x800x24' sh -c {json.dumps(shown)}"
    system.run(line, user=PERSON, check=False)
    target = ROOT / "build" / "packages" / f"try-deb-{name}"
    made = system.folder / picture.lstrip("/")
    if not made.exists():
        return ""
    shutil.copy(made, target)
    titles = (system.folder / (picture.lstrip("/") + ".txt")).read_text("utf-8", errors="replace")
    return next((line.strip()[:120] for line in titles.splitlines() if "ubshelf" in line), "")


def timed(do: Callable[[], object]) -> float:
    began = time.monotonic()
    do()
    return round(time.monotonic() - began, 2)


def records(count: int) -> list[dict[str, Any]]:
    text = "Pupils listened in pairs and wrote what they heard. " * 40
    return [
        {"id": f"r{n}", "type": "resource", "title": f"Radio lesson {n}", "text": text, "lang": "en"}
        for n in range(count)
    ]


if __name__ == "__main__":
    main()
