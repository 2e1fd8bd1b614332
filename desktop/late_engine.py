"""An engine that is made behind the window: what it is built from takes longer to load than a window may wait."""

from __future__ import annotations

import threading
from collections.abc import Callable

from desktop.sync_bridge import Engine


class LateEngine:
    """Stands for the engine that `make` loads and makes on a thread of its own, from `start` on.

    What is asked of it before that is kept, in its order. All methods may be called from any thread.
    """

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._asked: list[Callable[[Engine], object]] = []
        self._engine: Engine | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def start(self) -> None:
        """Load, make and start the engine; a second call changes nothing."""
        with self._lock:
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._load, name="load-engine", daemon=True)
                self._thread.start()

    def wake(self, reason: str) -> None:
        """See `Engine`; so have the next two."""
        self._ask(lambda engine: engine.wake(reason))

    def pause(self) -> None:
        self._ask(lambda engine: engine.pause())

    def resume(self) -> None:
        self._ask(lambda engine: engine.resume())

    def stop(self, timeout: float) -> object:
        """End it, at most `timeout` seconds; one that is still being made does not start any more."""
        with self._lock:
            self._stopped = True
            engine = self._engine
        return engine.stop(timeout) if engine is not None else True

    def _ask(self, question: Callable[[Engine], object]) -> None:
        with self._lock:
            if self._engine is None:
                self._asked.append(question)
                return
            engine = self._engine
        question(engine)

    def _load(self) -> None:
        engine = self._make()
        with self._lock:
            if self._stopped:
                return
            # Before it starts, so that a pause asked for meanwhile is in force from its first moment.
            for question in self._asked:
                question(engine)
            engine.start()
            self._engine = engine
