"""The schema's history, one file per change. Run by `gustav migrate`, as the tables' owner."""
