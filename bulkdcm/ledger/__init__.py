"""The run's memory: what became of each row, in one SQLite file. Workers, which only fill in its `schema`, import no more."""
