"""What a store promises, whichever it is."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from lti_tool.core.clock import utc_now
from lti_tool.core.files import FileDamaged, FileMissing, FileStore, open_store


def page(owner: str | None = None) -> str:
    return f"pages/{owner or uuid4()}/{uuid4()}"


def test_what_is_put_is_read_again(store: FileStore) -> None:
    key, content = page(), bytes(range(256)) * 40_000  # 10 MB

    store.put(key, content)

    assert store.get(key) == content
    assert store.get(key, hashlib.sha256(content).digest()) == content


def test_the_last_one_counts_and_an_empty_one_is_one(store: FileStore) -> None:
    key = page()
    store.put(key, b"first")
    store.put(key, b"")

    assert store.get(key, hashlib.sha256(b"").digest()) == b""


def test_flt_45_a_missing_file_is_told_as_missing(store: FileStore) -> None:
    with pytest.raises(FileMissing):
        store.get(page())


def test_flt_45_another_content_under_the_key_is_told_as_damage(store: FileStore) -> None:
    key, content = page(), b"a page"
    store.put(key, b"a pagf")  # one bit

    with pytest.raises(FileDamaged):
        store.get(key, hashlib.sha256(content).digest())


def test_deleting_takes_several_and_does_not_mind_missing_ones(store: FileStore) -> None:
    keys = [page() for _ in range(3)]
    for key in keys[:2]:
        store.put(key, b"x")

    store.delete(keys)
    store.delete(keys)
    store.delete([])

    assert store.list("") == []
    with pytest.raises(FileMissing):
        store.get(keys[0])


def test_a_listing_names_what_lies_below_a_prefix(store: FileStore) -> None:
    owner, draft, upload = (str(uuid4()) for _ in range(3))
    ours = sorted(page(owner) for _ in range(2))
    piece = f"arriving/{draft}/{upload}/000000000000"
    for key in (*ours, piece, page()):
        store.put(key, b"12345")

    listed = store.list(f"pages/{owner}/")

    assert [file.key for file in listed] == ours
    assert {file.size for file in listed} == {5}
    assert all(abs(file.modified - utc_now()) < timedelta(minutes=5) for file in listed)
    assert [file.key for file in store.list("arriving/")] == [piece]
    assert len(store.list("")) == 4


KNOWN = "0190f3a0-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "pages",
        "../etc/passwd",
        f"pages/{KNOWN}",
        f"pages/{KNOWN}/../{KNOWN}",
        f"pages/{KNOWN}/{KNOWN}/",
        f"pages/{KNOWN}/{KNOWN}\n",
        f"/pages/{KNOWN}/{KNOWN}",
        f"pages/{KNOWN}/{KNOWN.upper().replace('0', 'A')}",
        f"Pages/{KNOWN}/{KNOWN}",
        f"pages/{KNOWN}/{KNOWN}.jpg",
        f"pages/{KNOWN}/photo.jpg",
        f"arriving/{KNOWN}/{KNOWN}/1",
        f"arriving/{KNOWN}/{KNOWN}/٠٠٠٠٠٠٠٠٠٠٠٠",
        f".unfinished/{KNOWN}",
    ],
)
def test_keys_that_we_did_not_make_are_refused(key: str, tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "files"))

    for use in (lambda: store.put(key, b"x"), lambda: store.get(key), lambda: store.delete([key])):
        with pytest.raises(ValueError, match="not a key of ours"):
            use()
    if key:
        with pytest.raises(ValueError, match="not a prefix of ours"):
            store.list(f"{key}x/")

    assert [path.name for path in tmp_path.rglob("*")] == ["files"]


def test_a_key_cannot_leave_by_a_folder_that_is_emptied_meanwhile(tmp_path: Path) -> None:
    """Drafts that were handed in leave no empty folders behind."""
    store = open_store(str(tmp_path / "files"))
    key = f"arriving/{uuid4()}/{uuid4()}/000000000001"
    store.put(key, b"x")

    store.delete([key])

    assert not (tmp_path / "files" / "arriving").exists()
    store.put(key, b"y")
    assert store.get(key) == b"y"
