"""Ways that are compared: of labelling the same pictures, of weighing scores; one to a module."""
