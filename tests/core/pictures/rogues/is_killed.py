"""Dies as if the machine had no memory left."""

import os
import signal


def open_pages(source, kind, most_pages, longest):
    os.kill(os.getpid(), signal.SIGKILL)
