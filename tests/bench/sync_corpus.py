"""What is synchronised: the seeded corpus, made once under build/bench, and what xz makes of it."""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.bench.sync_links import ROOT, need_wordfreq, tool
from tests.programs import write_records

BENCH = ROOT / "build" / "bench"


def corpus(size: int) -> Path:
    """The folder with base.jsonl, delta.json and question.json for `size` resources; raises ToolsMissing."""
    folder = BENCH / f"corpus-{size}"
    if not (folder / "stats.json").is_file():  # written last
        maker = tool("corpus.py")
        need_wordfreq()
        print(f"making the corpus of {size:,} resources in {folder}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, maker, folder, str(size)], check=True, stdout=subprocess.DEVNULL)
    return folder


def xz_size(files: Iterable[Path], cache: Path) -> int:
    """Bytes of `xz -9e` of the files one after the other; computed once, kept in `cache`."""
    if cache.is_file():
        return int(cache.read_text())
    print(f"xz -9e for {cache.name}", file=sys.stderr)
    packer = lzma.LZMACompressor(preset=9 | lzma.PRESET_EXTREME)
    size = sum(len(packer.compress(file.read_bytes())) for file in files) + len(packer.flush())
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text(str(size))
    return size


def a_day(folder: Path) -> Path:
    """The corpus's own day later as one file to import: 50 new, 20 edited, 10 messages, 5 deleted."""
    delta = json.loads((folder / "delta.json").read_text(encoding="utf-8"))
    gone = [{"id": id_, "deleted": True} for id_ in delta["deleted"]]
    return write_records(folder / "day.jsonl", delta["new"] + delta["edited"] + delta["messages"] + gone)


def question(folder: Path) -> tuple[str, str, str]:
    """Title, body and language of the question of 200 words: its first eight words are the title."""
    asked: dict[str, Any] = json.loads((folder / "question.json").read_text(encoding="utf-8"))
    words = asked["body"].split()
    return " ".join(words[:8]), " ".join(words[8:]), asked["lang"]
