"""Result tables: parts of jobs read in order, and written as tables."""
