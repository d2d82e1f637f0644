"""Labels: from features to labels and ranks, by the model's classes or by a fitted head."""
