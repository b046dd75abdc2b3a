"""The double counts images as a real Ollama did (commit fb307609, llama-server 0c1e570)."""

import io

import pytest
from PIL import Image

from tests.fakes.model_intake import image_tokens

# What `prompt_eval_count` had more than without the image.
SEEN = {
    (60, 40): 1083,
    (28, 28): 1027,
    (896, 634): 1056,
    (634, 896): 1056,
    (896, 224): 1027,
    (896, 448): 1061,
    (800, 600): 1039,
    (2000, 20): 1283,
    (896, 896): 1027,
    (1600, 1131): 2283,
    (1600, 1200): 2454,
    (1600, 1600): 3252,
    (4000, 3000): 4018,
}


@pytest.mark.parametrize("size", SEEN)
def test_an_image_costs_what_it_was_seen_to_cost(size: tuple[int, int]) -> None:
    out = io.BytesIO()
    Image.new("L", size).save(out, "JPEG")

    assert image_tokens(out.getvalue(), "qwen2.5vl:7b-q8_0") == SEEN[size]
    assert image_tokens(out.getvalue(), "gemma3:12b") == 259
