"""Says that all went well, and has no page."""


def open_pages(source, kind, most_pages, longest):
    return 0, []
