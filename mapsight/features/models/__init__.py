"""Any LiteRT image model: how its file is understood, and how it is run."""
