"""The ways of labelling the same pictures that are compared, one to a module."""
