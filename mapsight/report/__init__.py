"""The report: pages and charts of a run."""
