"""Features of the index for other programs, with what is known of each picture."""

from mapsight.index.export.writers import (
    FaissWriter,
    NpyWriter,
    ParquetWriter,
    unit_rows,
    unit_vectors,
)

__all__ = ["FaissWriter", "NpyWriter", "ParquetWriter", "unit_rows", "unit_vectors"]
