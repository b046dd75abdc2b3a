"""The tests of the 1EdTech LTI Advantage conformance guide for tools, by their names in its §6.

43 of them, all through the entrance: B1-B12, T1-T9, S1-S9, D1-D7, N1-N5, A1.
"""
