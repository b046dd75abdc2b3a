"""`gustav journey`: the main job over HTTP, without a browser, step by step."""
