"""Features: a picture decoded, measured, and seen by the model."""
