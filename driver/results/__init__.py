"""The last stages: result tables, the report, and what is published."""
