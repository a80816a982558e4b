"""Writing: posts through the rules, and what of them can be seen."""
