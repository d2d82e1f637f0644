"""Adding pictures to the index of a workspace: the stages of an addition, and what it says."""
