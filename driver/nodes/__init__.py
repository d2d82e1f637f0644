"""What the nodes of a cluster need, packed once."""
