"""The process that reads one file: first it gives up what it may do, then it loads a decoder.

Run by its path, with the file as standard input and an empty file for the pages as standard
output. Only the standard library is imported here, and nothing of the tool: less to load, and
nothing to find for whoever takes the decoder over.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

EXIT_CODES = {
    "not_a_picture": 64,
    "damaged": 65,
    "too_many_pixels": 66,
    "locked": 67,
    "empty": 68,
    "took_too_long": 69,
}

# libde265 starts a thread whatever it is told, and the kernel counts threads as processes.
NEED_THREADS = frozenset({"HEIF"})

_NUMBER = struct.Struct(">I")
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h


class Decoder(Protocol):
    """What the file that is named on the command line has to define."""

    def open_pages(
        self, source: BinaryIO, kind: str, most_pages: int, longest: int
    ) -> tuple[int, Iterable[bytes]]:
        """How many pages are left out, and the others as JPEGs, one after the other.

        Raises anything: where it has a `reason` that is a key of EXIT_CODES, that is told.
        """


def unpacked(output: bytes) -> tuple[int, list[bytes]]:
    """The other end of `_write`. Output of any other form gives no pages."""
    numbers, at, jpegs = output[: _NUMBER.size], _NUMBER.size, []
    while at + _NUMBER.size <= len(output):
        length = _NUMBER.unpack_from(output, at)[0]
        at += _NUMBER.size
        jpegs.append(output[at : at + length])
        at += length
    whole = len(numbers) == _NUMBER.size and at == len(output)
    return (_NUMBER.unpack(numbers)[0], jpegs) if whole else (0, [])


def main(arguments: list[str]) -> int:
    decoder, kind, most_pages, longest, cpu, memory, output = arguments
    _give_up_rights(int(cpu), int(memory), int(output), alone=kind not in NEED_THREADS)
    try:
        left_out, pages = _load(decoder).open_pages(
            sys.stdin.buffer, kind, int(most_pages), int(longest)
        )
        _write(sys.stdout.buffer, left_out, pages)
    except MemoryError:
        return EXIT_CODES["too_many_pixels"]
    except Exception as error:  # noqa: BLE001  # whatever a decoder throws, the file is to blame
        return EXIT_CODES.get(getattr(error, "reason", ""), EXIT_CODES["damaged"])
    return 0


def _give_up_rights(cpu: int, memory: int, output: int, alone: bool) -> None:
    """For good: none of the limits can be raised again. `alone`: no threads and no processes.

    RLIMIT_NPROC does not bind root. There, and where threads are needed, what was started is
    killed with the group. A dying parent takes the child along.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    for what, value in ((_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_PDEATHSIG, signal.SIGKILL)):
        if libc.prctl(what, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_AS, memory),
    ):
        resource.setrlimit(limit, (value, value))
    if alone:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    # The first signal ends it and tells why; who catches that one is killed a second later.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))


def _load(path: str) -> Decoder:
    spec = importlib.util.spec_from_file_location("decoder", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _write(output: BinaryIO, left_out: int, pages: Iterable[bytes]) -> None:
    for piece in _pieces(left_out, pages):
        output.write(piece)
    output.flush()


def _pieces(left_out: int, pages: Iterable[bytes]) -> Iterator[bytes]:
    yield _NUMBER.pack(min(left_out, 0xFFFF_FFFF))
    for page in pages:
        yield _NUMBER.pack(len(page))
        yield page


if __name__ == "__main__":
    # Not by sys.exit: what decoders do at the end costs time and may still go wrong.
    os._exit(main(sys.argv[1:]))
