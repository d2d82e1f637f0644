"""Choosing a subset: equal shares of groups, and in each those that differ most or are least sure.

Exports nothing here, so that tasks import no more than they need.
"""
