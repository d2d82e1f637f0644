"""Words that name what a model knows: classes, the kinds above them, labels, style and negation."""
