"""A lesson in which everything breaks: real processes, 200 pupils, seeded faults, and a judge who
compares what pupils were told with what is there afterwards. `make chaos SEED=n`."""
