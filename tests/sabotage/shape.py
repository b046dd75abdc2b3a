"""What one sabotage is. Pure."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sabotage:
    """Replace `old`, which stands exactly once in `file`, by `new`: one of `tests` must turn red.

    `name` says what is gone then. Paths are relative to the checkout; `tests` are pytest's.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, root: Path) -> str:
        """The sabotaged text. Raises ValueError where the place is not (or no longer) unique."""
        text = (root / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: stands {text.count(self.old)} times in {self.file}")
        return text.replace(self.old, self.new)
