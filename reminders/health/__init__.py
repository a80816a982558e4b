"""How patients fare: side effects, blood results, and what they share of their experiences."""
