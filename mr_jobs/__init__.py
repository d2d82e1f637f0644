"""Map-reduce jobs, one to a file; each can be run alone."""
