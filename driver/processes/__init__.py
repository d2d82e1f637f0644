"""The processes of jobs and of their local tasks: forked from one that has imported everything."""
