"""Never ends, and costs a core."""


def open_pages(source, kind, most_pages, longest):
    while True:
        pass
