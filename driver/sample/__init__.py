"""A sample of Open Images, fetched into a folder."""
