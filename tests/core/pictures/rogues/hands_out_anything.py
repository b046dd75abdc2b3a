"""Hands out what it was given, as if that were a page."""


def open_pages(source, kind, most_pages, longest):
    return 0, [source.read()]
