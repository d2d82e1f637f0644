"""Search: the pictures most like a query, by exact scan or by cells of the index."""
