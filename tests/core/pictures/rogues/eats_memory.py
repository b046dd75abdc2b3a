"""Wants ten gigabytes."""


def open_pages(source, kind, most_pages, longest):
    return 0, [bytes(10_000_000_000)]
