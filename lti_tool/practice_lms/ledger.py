"""Every score that arrived, whatever became of it: the outside judge for tests of the tool."""

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Received:
    """`given`, `max`, `comment`, … are as sent; `stored` says whether the gradebook took it.

    `mode` names the practised fault, if one was on; then `status` is what the fault answers.
    """

    time: str
    item: str
    user: object
    given: object
    max: object
    comment: object
    progress: object
    timestamp: object
    status: int
    stored: bool
    mode: str | None


class Ledger:
    """Kept as lines that are only ever appended, so it costs little however long it gets."""

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._file = folder / "scores-received.jsonl" if folder else None
        self._rows: list[Received] = []
        if self._file and self._file.exists():
            text = self._file.read_text("utf-8")
            self._rows = list(filter(None, map(_row, text.splitlines())))
            if not text.endswith("\n"):  # A kill cut the last line: the next one must not join it.
                self._file.write_text(text + "\n", "utf-8")

    def note(self, row: Received) -> None:
        with self._lock:
            self._rows.append(row)
            if self._file:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                with self._file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")

    def rows(self) -> list[Received]:
        with self._lock:
            return list(self._rows)


def _row(line: str) -> Received | None:
    """A line that was cut short by a kill is left out."""
    try:
        return Received(**json.loads(line))
    except (ValueError, TypeError):
        return None
