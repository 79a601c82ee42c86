"""A run: `api` tells its story, `preparation` and `plan` what is to be done, `execute` does it, `row` one row of it."""
