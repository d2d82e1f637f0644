"""Writing a workspace: the lock, commits, cleaning, publishing."""
