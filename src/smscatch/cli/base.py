"""Exit statuses of the command line."""

OK, NOTHING, WRONG_USE, FAILED = range(4)
