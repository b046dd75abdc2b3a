"""Never ends, and costs nothing."""

import signal


def open_pages(source, kind, most_pages, longest):
    signal.pause()
