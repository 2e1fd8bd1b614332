"""A hub with the sample library, for the trials of packages: it runs outside of what is tried."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from frozen_folder import ROOT, CannotPackage, run


class TrialHub:
    """Made anew in the folder `home`; serves at `address` while the block lasts."""

    def __init__(self, home: Path) -> None:
        self.home, self.address = home, ""
        self._command = [str(ROOT / ".venv" / "bin" / "hubshelf-hub"), "--home", str(home)]
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        shutil.rmtree(self.home, ignore_errors=True)
        sample = sorted((ROOT / "build" / "sample").glob("*.jsonl"))
        if not sample:
            raise CannotPackage("The sample library is missing: run make sample first.")
        self.asked("init", "--email", "facilitator@sample.hubshelf.example")
        self.asked("import", *map(str, sample))
        self.asked("publish")
        command = [*self._command, "serve", "--port", "0", "--json"]
        self._server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._server.stdout is not None
        self.address = json.loads(self._server.stdout.readline())["address"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.terminate()
            self._server.wait(20)

    def asked(self, *arguments: str) -> dict[str, Any]:
        """Run `hubshelf-hub … --json`; returns its document. Raises CannotPackage."""
        answer: dict[str, Any] = json.loads(run(*self._command, *arguments, "--json"))
        return answer
