"""Evaluation: how right predictions are against what people verified."""
