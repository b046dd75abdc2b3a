"""From an uploaded file of unknown kind to safe page images.

Decoding happens in a process of its own that may be killed; whoever imports this never loads a
decoder. Why so: docs/adr/0010.
"""

from lti_tool.core.pictures.contract import (
    Busy,
    Developed,
    PagePicture,
    PictureRefused,
    Unreadable,
)
from lti_tool.core.pictures.darkroom import Darkroom, Limits

__all__ = [
    "Busy",
    "Darkroom",
    "Developed",
    "Limits",
    "PagePicture",
    "PictureRefused",
    "Unreadable",
]
