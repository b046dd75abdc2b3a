"""Pages as a model takes them. Imported by the process that works only: it loads Pillow.

The pages are JPEG that the host has drawn itself, so they are not decoded in a cage once more.
"""

import io

from PIL import Image, UnidentifiedImageError

from feedback_engine.contract import PageImage
from feedback_engine.errors import EngineRefused, RefusalReason

_QUALITY = 85  # enough for pencil on squared paper


def shrunk(image: PageImage, longest: int) -> bytes:
    """JPEG whose longer edge has at most `longest` pixels. Raise `EngineRefused` if it is none."""
    try:
        with Image.open(io.BytesIO(image.jpeg), formats=("JPEG",)) as page:
            if max(page.size) <= longest:
                page.load()  # llama.cpp sees half a picture without a word (tried)
                return image.jpeg
            page.draft(None, (longest, longest))
            page.thumbnail((longest, longest))
            out = io.BytesIO()
            page.save(out, "JPEG", quality=_QUALITY)
            return out.getvalue()
    except (UnidentifiedImageError, OSError, ValueError):
        raise EngineRefused(RefusalReason.PAGES_UNREAD) from None
