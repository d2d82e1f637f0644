"""What searches in words understand: the table of words, and how good answers are."""
