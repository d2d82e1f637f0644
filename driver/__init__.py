"""The driver: command line, stages, workspace; it chains the jobs and computes nothing."""
