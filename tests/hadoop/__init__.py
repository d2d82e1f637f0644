"""Tests on a real HDFS and YARN."""
