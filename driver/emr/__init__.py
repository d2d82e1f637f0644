"""Running on EMR: a cluster made for a run, and ended with it."""
