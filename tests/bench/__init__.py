"""`make bench`: how fast launches are, beside others in the same run. Not part of the tests."""
