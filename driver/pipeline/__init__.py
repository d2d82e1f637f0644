"""The pipeline: stages run in order, each job in a process of its own."""
