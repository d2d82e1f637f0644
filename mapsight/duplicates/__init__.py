"""Duplicates: pairs of pictures alike, and the groups that they form."""
