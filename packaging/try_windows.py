"""`make try-windows-wine`: what a person and an administrator do with the installer, in a Windows by Wine.

    python packaging/try_windows.py [--setup FILE] [--next FILE]

In a Wine of its own (build/try-windows): installed silently for all, version, doctor, policies in the registry, a
preloaded shelf that is searched, a sync with a hub outside, the window on a screen of its own, a link, the next
version with everything kept, uninstalled so that nothing is left; then for one person alone. What was found goes
to build/packages/try-windows.json, pictures to try-windows*.png beside it. Exit code 1: a step failed. What Wine
cannot show is in docs/it/windows.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "windows"))
from frozen_folder import ROOT, CannotPackage, run
from screen import Screen
from trial_hub import TrialHub
from wine_system import Wine, windows_path

PLACE = ROOT / "build" / "try-windows"
PACKAGES = ROOT / "build" / "packages"
POLICIES = r"HKLM\SOFTWARE\Policies\Hubshelf"
_EVERYBODYS = re.compile(
    r"drive_c/(windows/(temp|system32/config|inf)|users/[^/]+/(Temp|AppData/Local/Temp))|dosdevices"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setup", type=Path, help="build/packages/hubshelf-*-setup.exe where it is not given")
    parser.add_argument("--next", type=Path, help="the version that people have after it")
    asked = parser.parse_args()
    setup = asked.setup or next(iter(sorted(PACKAGES.glob("hubshelf-*-setup.exe"))), None)
    if setup is None:
        print("There is no installer in build/packages; run make package-windows-wine first.", file=sys.stderr)
        return 2
    found: dict[str, Any] = {"setup": setup.name, "setup_bytes": setup.stat().st_size, "steps": {}}
    try:
        newer = asked.next or _next_version(setup)
        shutil.rmtree(PLACE / "prefix", ignore_errors=True)
        with TrialHub(PLACE / "hub") as hub:
            Trial(Wine(PLACE / "prefix"), hub, found).all(setup, newer)
    except CannotPackage as error:
        found["failed"] = str(error)
        print(error, file=sys.stderr)
    (PACKAGES / "try-windows.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(json.dumps(found, indent=1))
    return 1 if "failed" in found else 0


class Trial:
    """The steps, in order; each is noted with its seconds, and the first that fails ends it."""

    def __init__(self, wine: Wine, hub: TrialHub, found: dict[str, Any]) -> None:
        self.wine, self.hub, self.found = wine, hub, found
        self.drive = wine.prefix / "drive_c"
        self.program = self.drive / "Program Files" / "Hubshelf"

    def all(self, setup: Path, newer: Path) -> None:
        before, keys = self.files(), self.keys()
        self.step("installed silently for all", lambda: self.install(setup, "/AllUsers"))
        self.step("version", lambda: self.version(setup))
        self.step("doctor", lambda: self.expect(self.says("doctor")["ok"] is True))
        self.step("preloaded and searched", self.preload)
        self.step("joined by the registry and synced", self.joins)
        self.step("window and link", self.window)
        self.step("next version", lambda: self.upgrade(newer))
        self.step("uninstalled, nothing left", lambda: self.uninstall(before, keys))
        self.program = self.drive / "users" / _user() / "AppData" / "Local" / "Programs" / "Hubshelf"
        self.step("installed for one person", lambda: self.install(newer, "/CurrentUser"))
        self.step("its version", lambda: self.version(newer))
        self.step("uninstalled by that person, nothing left", lambda: self.uninstall(before, keys))

    def step(self, name: str, do: Callable[[], Any]) -> None:
        print(f"… {name}", file=sys.stderr)
        started = time.monotonic()
        said = do()
        entry: dict[str, Any] = {"seconds": round(time.monotonic() - started, 2)}
        self.found["steps"][name] = entry | (said if isinstance(said, dict) else {})

    def install(self, setup: Path, how: str) -> dict[str, Any]:
        self.wine.run(windows_path(setup), "/S", how)
        self.wine.rest()
        self.expect((self.program / "hubshelf.exe").is_file(), f"There is no program in {self.program}.")
        return {"bytes": sum(path.stat().st_size for path in self.program.rglob("*") if path.is_file())}

    def version(self, setup: Path) -> dict[str, Any]:
        times = []
        for _time in range(3):
            started = time.monotonic()
            said = self.hubshelf("--version").strip()
            times.append(time.monotonic() - started)
        self.expect(setup.name.split("-")[1] in said, said)
        return {"said": said, "best_s": round(min(times), 2)}

    def preload(self) -> dict[str, Any]:
        """A pack in an image is on the shelf, and no hub is asked. Under Wine everything belongs to the person, so
        the administrator names the hub's key."""
        made = self.hub.asked("site-code", "create", "--uses", "20", "--note", "Office 4")
        self.decide("hub_key", made["hub_key"])
        place = self.drive / "ProgramData" / "Hubshelf" / "preload"
        place.mkdir(parents=True)
        self.hub.asked("pack", "export", str(place / "library.hubshelf-pack"))
        self.says("pack", "import", "--preload")
        total = self.says("search", "school")["total"]
        self.expect(total > 0, "Nothing was found.")
        self.decide("hub_url", self.hub.address)
        self.decide("site_code", made["code"])
        return {"total": total}

    def joins(self) -> dict[str, Any]:
        shown = self.hubshelf("--show-policy")
        self.expect("LOCKED hub_url" in shown, shown)
        said = self.says("sync")
        self.expect(said["up_to_date"] is True, str(said))
        return {"bytes_down": said["bytes_down"], "requests": said["requests"]}

    def window(self) -> dict[str, Any]:
        """The window on a screen; then a link, as a browser would open it: by what the registry says."""
        record = next(one["id"] for one in self.says("search", "school")["results"] if one["kind"] == "resource")
        data = next(self.drive.glob("users/*/AppData/Local/Hubshelf"))
        (data / "window.json").write_text('{"introduced": true, "language": "en"}')
        with Screen(PLACE / "screen") as screen:
            # Wine's list of networks hangs whoever asks for it.
            shown = {"DISPLAY": screen.name, "HUBSHELF_NETWORK_HINTS": "off"}
            started = time.monotonic()
            window = self.wine.start(str(self.program / "hubshelfw.exe"), further=shown)
            try:
                self.until(lambda: screen.shows("Hubshelf"), "no window came")
                seconds = round(time.monotonic() - started, 2)
                time.sleep(6)
                self.expect(window.poll() is None, "The window ended by itself.")
                screen.picture(PACKAGES / "try-windows.png")
                memory = _pss(window.pid)
                self.wine.run("start", f"hubshelf://resource/{record}", further=shown, seconds=60)
                time.sleep(5)
                screen.picture(PACKAGES / "try-windows-link.png")
                first, second = (PACKAGES / name for name in ("try-windows.png", "try-windows-link.png"))
                self.expect(first.read_bytes() != second.read_bytes(), "The link changed nothing in the window.")
            finally:
                window.terminate()
                window.wait(30)
        self.wine.rest()
        return {"window_s": seconds, "pss_mib": memory}

    def upgrade(self, newer: Path) -> dict[str, Any]:
        question = PLACE / "question.txt"
        question.write_text("What do others do about it?\n")
        self.says("ask", "--title", "Roofs and rain", "--body-file", windows_path(question))
        total = self.says("search", "school")["total"]
        stale = self.program / "lib" / "of_the_version_before.py"
        stale.write_text("")
        self.install(newer, "/AllUsers")
        self.expect(not stale.exists(), "A file of the version before stayed.")
        said = self.version(newer)
        self.expect(self.says("search", "school")["total"] == total, "The search finds something else.")
        states = {one["title"]: one["state"] for one in self.says("outbox")["items"]}
        self.expect(states.get("Roofs and rain") == "waiting", f"The question is gone: {states}")
        self.expect(self.says("sync")["operations_sent"] == 1, "The question was not sent.")
        return said

    def uninstall(self, before: set[str], keys: set[str]) -> dict[str, Any]:
        self.wine.call("reg", "delete", POLICIES, "/f")
        self.wine.run(str(self.program / "uninstall.exe"), "/S", "/PURGE")
        self.until(lambda: not self.program.exists(), "The program is still there.", 60)
        self.wine.rest()
        left = sorted(path for path in self.files() - before if not path.endswith("/AppData/Local/Programs"))
        mine = [path for path in left if "/AppData/Local/Hubshelf" in path]
        ours = [path for path in left if path not in mine and "ubshelf" in path]
        self.expect(not ours, f"Left of it: {ours}")
        more = sorted(line for line in self.keys() - keys if "ubshelf" in line)
        self.expect(not more, f"The registry still names it: {more}")
        self.expect(any(path.endswith("/own.db") for path in mine), "The person's own work is gone.")
        return {"files_of_others": len(left) - len(mine)}

    def decide(self, name: str, value: str) -> None:
        self.wine.run("reg", "add", POLICIES, "/v", name, "/t", "REG_SZ", "/d", value, "/f")

    def hubshelf(self, *arguments: str) -> str:
        return self.wine.run(str(self.program / "hubshelf.exe"), *arguments, seconds=300)

    def says(self, *arguments: str) -> dict[str, Any]:
        """The document of `hubshelf … --json`."""
        answer: dict[str, Any] = json.loads(self.hubshelf(*arguments, "--json"))
        return answer

    def expect(self, right: bool, said: str = "") -> None:
        if not right:
            raise CannotPackage(f"{list(self.found['steps'])[-1:]} and then: {said or 'not as expected'}")

    def until(self, right: Callable[[], Any], said: str, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not right():
            self.expect(time.monotonic() < end, said)
            time.sleep(0.05)

    def files(self) -> set[str]:
        found = (path.relative_to(self.wine.prefix).as_posix() for path in self.drive.rglob("*"))
        return {path for path in found if not _EVERYBODYS.match(path)}

    def keys(self) -> set[str]:
        """Every line of the registry, as Wine keeps it once all has ended, but for the person's own secrets."""
        self.wine.rest()
        found: set[str] = set()
        for name in ("system.reg", "user.reg"):
            section = ""
            for line in (self.wine.prefix / name).read_text("utf-8", "replace").splitlines():
                section = line if line.startswith("[") else section
                if "Credential Manager" not in section:  # it goes with the shelf, which stays
                    found.add(line)
        return found


def _user() -> str:
    return os.environ.get("USER") or "root"


def _next_version(setup: Path) -> Path:
    """The same build under a higher number, packed fast."""
    number = setup.name.split("-")[1]
    newer = re.sub(r"\d+$", lambda match: str(int(match[0]) + 1), number)
    out, build = PLACE / "next", ROOT / "build" / "packaging-windows" / "dist" / "hubshelf"
    script = str(ROOT / "packaging" / "package_windows.py")
    run(sys.executable, script, "--wine", "--quick", "--build", str(build), "--version", newer, "--out", str(out))
    return next(out.glob(f"hubshelf-{newer}-*-setup.exe"))


def _pss(pid: int) -> int:
    said = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"(?m)^Pss:\s+(\d+)", said)[1]) // 1024  # type: ignore[index]


if __name__ == "__main__":
    sys.exit(main())
