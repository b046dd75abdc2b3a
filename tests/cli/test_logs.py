"""Logs hold kinds and places of errors, never what they say."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from config.logs import formatter

SECRET = "Ada Abel hat nicht aufgepasst"


def record_of_an_error() -> logging.LogRecord:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise ValueError(SECRET) from error
    except ValueError:
        return logging.LogRecord(
            "some.library", logging.ERROR, __file__, 1, "failed", None, sys.exc_info()
        )


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_the_words_of_an_exception_are_not_written(log_format: str) -> None:
    line = formatter(log_format).format(record_of_an_error())  # type: ignore[arg-type]

    assert SECRET not in line
    assert "ValueError" in line
    assert "KeyError" in line
    assert "test_logs.py" in line
    assert "\n" not in line


def test_a_line_is_one_json_document_with_time_level_and_name() -> None:
    line = json.loads(formatter("json").format(record_of_an_error()))

    assert line["event"] == "failed"
    assert line["level"] == "error"
    assert line["logger"] == "some.library"
    assert line["error"] == ["ValueError", "KeyError"]
    assert line["timestamp"].endswith("Z")
