"""A decoder that its file has taken over can do next to nothing, and never harms the next file."""

from __future__ import annotations

import json
import os
import select
from pathlib import Path

import pytest

from lti_tool.core.pictures import Darkroom, Limits, PictureRefused, Unreadable
from tests.core.pictures.pictures import photo, telling_photo

ROGUES = Path(__file__).with_name("rogues")
LONG, SHORT = Limits(wall=60), Limits(cpu=1, wall=60)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "photo"
    path.write_bytes(photo())
    return path


def refused(source: Path, rogue: str, limits: Limits = LONG) -> Unreadable:
    """Its reason. Afterwards an honest decoder reads the same file."""
    with pytest.raises(PictureRefused) as told:
        Darkroom(limits=limits, decoder=ROGUES / f"{rogue}.py").develop(source)
    assert len(Darkroom().develop(source).pages) == 1
    return told.value.reason


@pytest.mark.parametrize(
    ("rogue", "reason", "limits"),
    [
        ("spins", Unreadable.TOOK_TOO_LONG, SHORT),
        ("sleeps", Unreadable.TOOK_TOO_LONG, Limits(wall=0.5)),
        ("ignores_its_end", Unreadable.DAMAGED, SHORT),
        ("eats_memory", Unreadable.TOO_MANY_PIXELS, LONG),
        ("aborts", Unreadable.DAMAGED, LONG),
        ("is_killed", Unreadable.DAMAGED, LONG),
        ("writes_too_much", Unreadable.DAMAGED, LONG),
        ("hands_out_anything", Unreadable.DAMAGED, LONG),
        ("hands_out_nothing", Unreadable.DAMAGED, LONG),
        ("is_not_there", Unreadable.DAMAGED, LONG),
    ],
)
def test_atk_67_whatever_it_does_is_a_refusal(
    source: Path, rogue: str, reason: Unreadable, limits: Limits
) -> None:
    source.write_bytes(telling_photo("JPEG"))

    assert refused(source, rogue, limits) is reason


def test_atk_67_what_it_started_ends_with_it(source: Path) -> None:
    """As root it can start something; as anybody else it cannot even that."""
    refused(source, "starts_another")

    started = source.with_name("photo.started")
    if started.exists():
        assert _ends(int(started.read_text()))


def _ends(pid: int) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(handle) as process:
        return bool(select.select([process], [], [], 30)[0])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_atk_67_it_sees_nothing_of_ours(
    source: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """The decoder of HEIC needs a thread, which counts as a process: nobody but root would have
    its photos read under that limit."""
    source.write_bytes(photo(form))
    monkeypatch.setenv("GUSTAV_SECRET_KEY", "not for decoders")
    with (source.parent / "open").open("w") as other:
        os.set_inheritable(other.fileno(), True)
        refused(source, "looks_around")

    seen = json.loads(source.with_name("photo.seen").read_text())
    assert not [name for name in seen["environment"] if name.startswith(("GUSTAV", "PATH", "HOME"))]
    assert seen["handles"] == [0, 1, 2]
    assert seen["folder"] == []
    assert seen["no_new_privs"]
    assert "lti_tool" not in seen["modules"]
    bounds = Limits()
    processes = seen["limits"].pop("NPROC")
    assert (processes == [0, 0]) is (form != "HEIF")
    assert seen["limits"] == {
        "AS": [bounds.memory] * 2,
        "CPU": [bounds.cpu, bounds.cpu + 1],
        "FSIZE": [bounds.output] * 2,
        "CORE": [0, 0],
        "NOFILE": [32, 32],
    }
