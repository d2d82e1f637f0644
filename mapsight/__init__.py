"""Mapsight: classify, rank and reverse-search image collections by map-reduce."""

__version__ = "0.1.0"
