"""Open Images: its published metadata, read, joined and sampled."""
