"""Formats of pictures: what a viewer shows of each and Pillow does not."""
