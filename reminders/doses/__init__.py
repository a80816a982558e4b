"""What became of doses, as patients and the care team tell it, and injections of no dose."""
