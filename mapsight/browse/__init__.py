"""Browsing: the pictures of one state of a workspace, filtered, sorted, counted and mapped."""
