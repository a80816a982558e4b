"""Tests, in folders by what they need."""
