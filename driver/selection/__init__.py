"""What `select` does beyond a list: choosing by a job, and folders of the pictures chosen."""
