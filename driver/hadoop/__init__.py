"""Running on Hadoop: jobs submitted, watched, explained and ended."""
