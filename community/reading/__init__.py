"""What members read: feeds, threads, search. Only what is live."""
