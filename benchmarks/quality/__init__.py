"""How good results are: measured on the sample."""
