"""Joining, entering, leaving; who somebody is here, and whom they don't want to see."""
