"""Files wherever they lie: opened, listed and written by address, on this machine, HDFS or S3."""
