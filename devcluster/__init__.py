"""A real HDFS and YARN on one machine, for tests and trials."""
