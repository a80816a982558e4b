"""The clock's verbs: steps taken when they are due, and what is counted and missed after them."""
