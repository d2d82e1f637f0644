"""Made-up pictures, up to a million and more, through the whole pipeline."""
