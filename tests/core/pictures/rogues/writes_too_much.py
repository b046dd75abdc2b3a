"""Fills the disk."""


def open_pages(source, kind, most_pages, longest):
    return 0, (bytes(1_000_000) for _ in range(1_000))
