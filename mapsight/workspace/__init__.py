"""Reading a workspace: its documents, checked."""
