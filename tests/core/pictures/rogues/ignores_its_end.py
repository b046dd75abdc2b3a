"""Spins, and does not listen when its time is over."""

import signal


def open_pages(source, kind, most_pages, longest):
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass
