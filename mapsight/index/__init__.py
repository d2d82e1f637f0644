"""The index: vectors, cells and rows of pictures for search."""
