"""Eleven animals, drawn by coat and shape."""
