"""Pages for the care team: their worklist, inbox and patients. English only for now."""
