"""Options of the command line and of the configuration file."""
