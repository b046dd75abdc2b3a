"""What a photo and a PDF page cost on their way to a stored page: `python -m tests.bench.pictures`.

CPU of the child that decodes, its start included, and of the caller. Ends with 1 if a goal is
missed.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pymupdf
from PIL import Image

from lti_tool.core.files import open_store
from lti_tool.core.pictures import Darkroom
from tests.core.pictures.pictures import saved

ROUNDS = 5
PHOTO = (4032, 3024)  # 12 megapixels
PAGES = 10
KEY = "pages/0190f3a0-0000-7000-8000-000000000001/0190f3a0-0000-7000-8000-000000000002"


@dataclass(frozen=True)
class Case:
    """`goal`: seconds of CPU per page; None where it is only told."""

    name: str
    content: bytes
    goal: float | None


def main() -> int:
    print(f"Pictures: seconds of CPU per stored page, median and worst of {ROUNDS}")
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        for case in cases():
            spent, size = measured(case, Path(folder))
            typical = median(spent)
            goal = "" if case.goal is None else f"  (goal {case.goal})"
            kept = f"{size / 1000:4.0f} kB a page"
            print(f"  {case.name:28} {typical:.2f}  {max(spent):.2f}  {kept}{goal}", flush=True)
            missed = missed or (case.goal is not None and typical > case.goal)
    return 1 if missed else 0


def measured(case: Case, folder: Path) -> tuple[list[float], float]:
    """Seconds of CPU per page of each round, and bytes per page."""
    room, store, source = Darkroom(), open_store(str(folder / "files")), folder / "upload"
    source.write_bytes(case.content)
    spent, size = [], 0.0
    for _ in range(ROUNDS):
        before = _cpu()
        pages = room.develop(source).pages
        for page in pages:
            store.put(KEY, page.jpeg)
        spent.append((_cpu() - before) / len(pages))
        size = sum(len(page.jpeg) for page in pages) / len(pages)
    return spent, size


def cases() -> Iterator[Case]:
    photo = handwriting()
    yield Case("JPEG, 12 megapixels", saved(photo, "JPEG", quality=92), 1.0)
    yield Case("JPEG, 12 megapixels, noisy", saved(noisy(), "JPEG", quality=92), 1.0)
    yield Case("HEIC, 12 megapixels", saved(photo, "HEIF", quality=80), None)
    yield Case("PNG, 12 megapixels", saved(photo, "PNG", compress_level=1), None)
    yield Case("WebP, 12 megapixels", saved(photo, "WEBP", quality=80, method=0), None)
    yield Case("PDF, a page of text", pdf(1, None), 0.3)
    yield Case(f"PDF, {PAGES} pages of text", pdf(PAGES, None), 0.3)
    scan = saved(photo.resize((2480, 3508)), "JPEG", quality=85)
    yield Case(f"PDF, {PAGES} pages scanned, 300 dpi", pdf(PAGES, scan), 0.3)


def handwriting() -> Image.Image:
    """Dark strokes on uneven paper, with the grain of a phone's camera."""
    grain = Image.effect_noise(PHOTO, 12).point(lambda value: min(255, value + 80))
    with pymupdf.open() as made:
        sheet = made.new_page(width=842, height=631)
        for line in range(30):
            sheet.insert_text((40, 40 + 19 * line), "Die Pflanze nimmt Wasser auf. " * 4)
        drawn = sheet.get_pixmap(matrix=pymupdf.Matrix(PHOTO[0] / 842, PHOTO[1] / 631))
    strokes = Image.frombytes("RGB", (drawn.width, drawn.height), drawn.samples).resize(PHOTO)
    return Image.composite(grain.convert("RGB"), strokes, strokes.convert("L"))


def noisy() -> Image.Image:
    return Image.effect_noise(PHOTO, 60).convert("RGB")


def pdf(pages: int, scan: bytes | None) -> bytes:
    with pymupdf.open() as made:
        for _ in range(pages):
            sheet = made.new_page()
            if scan is not None:
                sheet.insert_image(sheet.rect, stream=scan)
                continue
            for line in range(50):
                sheet.insert_text((50, 50 + 15 * line), "Die Pflanze nimmt Wasser auf. " * 3)
        content: bytes = made.tobytes()
        return content


def _cpu() -> float:
    """Seconds of this process and of its children that have ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


if __name__ == "__main__":
    sys.exit(main())
