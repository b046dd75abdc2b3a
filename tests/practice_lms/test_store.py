"""What survives a restart, a kill and a crowd."""

import json
import threading
from pathlib import Path

import pytest

from lti_tool.practice_lms.store import Activity, Grade, LineItem, Store
from tests.practice_lms.bench import ADA, BEN, CURIE, Bench, local


def test_keys_activities_grades_ledger_and_logins_survive_a_restart(tmp_path: Path) -> None:
    lms = Bench(data_dir=tmp_path)
    link = lms.add_activity(custom={"task": "1"})
    item = lms.item_url(link)
    lms.score(item)
    keys = lms.get("/jwks").get_json()
    cookie = lms.browser.get_cookie(f"practice_lms_as_{CURIE}")
    assert cookie

    lms.start()
    lms.browser.set_cookie(cookie.key, cookie.value)

    assert lms.get("/jwks").get_json() == keys
    assert lms.get(f"/as/{CURIE}/course/2").status_code == 200
    assert lms.item_url(link) == item
    assert [row["resultScore"] for row in lms.results(item)] == [8.0]
    assert len(lms.get("/practice/ledger").get_json()) == 1
    assert lms.add_activity() != link


def test_tokens_do_not_survive_a_restart(tmp_path: Path) -> None:
    lms = Bench(data_dir=tmp_path)
    item = lms.item_url(lms.add_activity())
    old = lms.bearer()
    lms.start()

    answer = lms.browser.get(local(item), headers=old)

    assert answer.status_code == 401


def test_a_store_reads_back_what_it_wrote(tmp_path: Path) -> None:
    store = Store(tmp_path)
    activity = Activity("1", 2, "2", "Über Äpfel", "", "http://tool.example", (("a", "b"),))
    with store.changing() as state:
        state.activities["1"] = activity
        state.line_items["3"] = LineItem("3", "2", "x", 10.0, column_of="1", link_id="1")
        state.grades["3", ADA] = Grade(4.5, "gut", 7, overridden=True, locked=True)

    with store.reading() as written, Store(tmp_path).reading() as read:
        assert read == written


def test_a_kill_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.changing() as state:
        state.last_id = 500
    (tmp_path / "practice-lms.new").write_text('{"half')

    with Store(tmp_path).reading() as state:
        assert state.last_id == 500


def test_a_failed_change_is_not_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.changing() as state:
        state.last_id = 500

    with pytest.raises(ZeroDivisionError), store.changing() as state:
        state.last_id = 1 // 0

    kept = json.loads((tmp_path / "practice-lms.json").read_text("utf-8"))
    assert kept["last_id"] == 500


def test_the_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with Store(tmp_path / "new").changing():
        pass

    assert (tmp_path / "new" / "practice-lms.json").stat().st_mode & 0o077 == 0


def test_a_line_of_the_ledger_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    lms = Bench(data_dir=tmp_path)
    lms.score(lms.item_url(lms.add_activity()))
    with (tmp_path / "scores-received.jsonl").open("a") as out:
        out.write('{"time": "20')

    lms.start()
    lms.score(f"{lms.item_url(lms.add_activity())}", BEN)

    assert len(lms.get("/practice/ledger").get_json()) == 2
    lms.start()
    assert len(lms.get("/practice/ledger").get_json()) == 2


def test_of_many_scores_at_once_one_is_stored_and_all_are_in_the_ledger(tmp_path: Path) -> None:
    lms = Bench(data_dir=tmp_path)
    item = lms.item_url(lms.add_activity())
    lms.bearer()
    statuses: list[int] = []

    def post(given: int) -> None:
        crowd = Bench.__new__(Bench)
        crowd.__dict__.update(lms.__dict__, browser=lms.app.test_client())
        statuses.append(crowd.score(item, scoreGiven=given).status_code)

    threads = [threading.Thread(target=post, args=(given,)) for given in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] + [409] * 7
    assert len(lms.get("/practice/ledger").get_json()) == 8


def test_two_apps_share_nothing() -> None:
    one, two = Bench(), Bench()
    one.add_activity()

    two.log_in(CURIE)

    assert "Fotosynthese" not in two.get(f"/as/{CURIE}/course/2").get_data(as_text=True)
