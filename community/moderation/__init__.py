"""Moderators: cases, decisions, appeals, the rota that a crisis pages, their rules."""
