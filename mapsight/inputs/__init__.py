"""Inputs: what the user named, found, divided among tasks and read as pictures."""
