"""What a person has to look at: its items, who takes them, who is on duty, who is paged."""
