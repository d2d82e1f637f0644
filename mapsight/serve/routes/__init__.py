"""What is answered under each address; each module has a `router`."""
