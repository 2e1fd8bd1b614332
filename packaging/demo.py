"""`make demo`: a hub with the sample library, a desktop enrolled with it, and its window.

With no display the same journey runs offscreen: screenshots are written to build/demo/ and the program says so.
`--screenshots DIR` makes the pictures of every page in three languages, light and dark, instead; with
`--every-look` in all languages, at two sizes of the window and two of the text.

The hub and the shelf live in build/demo/; run it again and they are there as you left them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
USUAL_LOOKS = ["--lang", "en", "fr", "ar", "--scheme", "light", "dark"]
EVERY_LOOK = ["--size", "1024x640", "1920x1080", "--scale", "100", "200"]
SCHEMES = ("light", "dark")
PLACES = ("home", "library", "discussions", "ask", "people", "shelf", "outbox", "sync", "reader", "pdf")
MEMBER = "officer@sample.hubshelf.example"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "demo")
    parser.add_argument("--screenshots", type=Path, help="only make pictures of every page, here")
    parser.add_argument("--every-look", action="store_true", help="pictures in every look that is tested")
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    hub, shelf = folder / "hub", folder / "shelf"

    say("Preparing the hub …")
    started = run("hubshelf-hub", "--home", hub, "init", "--email", "facilitator@sample.hubshelf.example")
    facilitator = started["facilitator"] or {}
    if facilitator.get("password"):
        words = f"{facilitator['email']}\n{facilitator['password']}\n"
        (folder / "facilitator.txt").write_text(words, encoding="utf-8")
    imported = run("hubshelf-hub", "--home", hub, "import", *sorted((ROOT / "build" / "sample").glob("*.jsonl")))
    say(f"  sample library: {imported['created']} records new, {imported['unchanged']} already there")
    run("hubshelf-hub", "--home", hub, "publish")

    with serving(hub) as address:
        say(f"The hub is at {address} (facilitators: {address}/admin/, password in {folder / 'facilitator.txt'})")
        if not run("hubshelf", "--home", shelf, "status").get("member"):
            code = run("hubshelf-hub", "--home", hub, "invite", MEMBER, "--name", "Amina Wanjiru")["code"]
            run("hubshelf", "--home", shelf, "enrol", address, code)
        else:
            move(shelf, address)
        report = run("hubshelf", "--home", shelf, "sync")
        say(f"The shelf is in step: {report['bytes_down']:,} bytes in {report['requests']} requests.")
        journey(hub, shelf)
        if options.screenshots:
            return (every_look if options.every_look else usual_looks)(shelf, options.screenshots)
        if has_display():
            say("Opening the window; close it to stop the hub.")
            return subprocess.run([BIN / "hubshelf", "--home", shelf], check=False).returncode
        say("There is no display, so the window is shown to nobody: see the pictures in " + str(folder))
        return pictures(shelf, folder, ["--scheme", "light", "dark", "--only", *PLACES])


def journey(hub: Path, shelf: Path) -> None:
    """Search, ask, send, answer: what a member and a facilitator do, so that the demo has something to show."""
    found = run("hubshelf", "--home", shelf, "search", "offline learning")
    say(f"  searching “offline learning”: {found['total']} found, first “{found['results'][0]['title']}”")
    if run("hubshelf", "--home", shelf, "outbox")["items"]:
        return
    question = shelf / "question.txt"
    question.write_text(
        "We have forty schools with solar power and no network. Which materials can tutors load on tablets at "
        "the district office, and how often do they need to come back?",
        encoding="utf-8",
    )
    title = "Offline materials for forty solar-powered schools"
    asked = run("hubshelf", "--home", shelf, "ask", "--title", title, "--body-file", question)
    run("hubshelf", "--home", shelf, "sync")
    answer = shelf / "answer.txt"
    answer.write_text(
        "Start with the offline-first guide on your shelf: it lists what fits on a 32 GB card. Districts that "
        "answered here refresh their cards once a term, on market days, when tutors come to town anyway.",
        encoding="utf-8",
    )
    run("hubshelf-hub", "--home", hub, "reply", asked["id"], "--body-file", answer)
    run("hubshelf", "--home", shelf, "sync")
    run(
        "hubshelf",
        "--home",
        shelf,
        "ask",
        "--title",
        "Who has priced satellite links per school?",
        "--body-file",
        question,
    )
    keep_one(shelf, found["results"])
    say("  one question was asked and answered; another waits; one guide was saved with its PDF")


def keep_one(shelf: Path, results: list[dict[str, Any]]) -> None:
    """Save the first resource found that has a PDF, and fetch the PDF, as the buttons of the reader do."""
    from sync.engine import fetch_file
    from sync.home import Home

    home = Home(shelf)
    with home.library() as library, home.own() as own:
        for result in results:
            record = library.get(result["id"]) or {}
            for file in record.get("files", []):
                own.bookmark(record["id"], record["title"])
                fetch_file(home, file["hash"], file["size"])
                return


def usual_looks(shelf: Path, target: Path) -> int:
    """Take the pictures in three languages, light and dark."""
    return pictures(shelf, target, USUAL_LOOKS)


def every_look(shelf: Path, target: Path) -> int:
    """Take the pictures in every language, light and dark, two sizes and two sizes of text.

    Each language and scheme in a process of its own, which a window made anew forty times would slow down, and on
    a copy of the shelf, two at a time.
    """
    from desktop.words import available_languages

    def take(look: tuple[str, str]) -> int:
        lang, scheme = look
        with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
            copy = shutil.copytree(shelf, Path(folder) / "shelf")
            return pictures(copy, target, ["--lang", lang, "--scheme", scheme, *EVERY_LOOK])

    with ThreadPoolExecutor(2) as pool:
        return max(pool.map(take, product(available_languages(), SCHEMES)))


def pictures(shelf: Path, target: Path, look: list[str]) -> int:
    """Take the pictures of `shelf` in the looks that these options of desktop.screenshots name."""
    command = [sys.executable, "-m", "desktop.screenshots", "--home", shelf, "--out", target, *look]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    code = subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode
    if code == 0:
        say(f"{len(list(target.glob('**/*.png')))} pictures are in {target}")
    return code


@contextmanager
def serving(hub: Path) -> Iterator[str]:
    """Run the hub on a free port of this computer; yields its address and stops it at the end."""
    command = [BIN / "hubshelf-hub", "--home", hub, "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["address"]
        finally:
            process.terminate()


def move(shelf: Path, address: str) -> None:
    """Tell the shelf where the hub is this time: its port changes with each run of the demo."""
    from sync.home import Home

    with Home(shelf).own() as own:
        own.set_setting("hub_url", address)


def run(program: str, *arguments: str | Path) -> dict[str, Any]:
    """Run one of our commands with --json and return its answer; stop the demo where it fails."""
    command = [BIN / program, *arguments, "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def has_display() -> bool:
    return sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
