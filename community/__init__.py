"""PEERS: members, posts, rules, moderation. Cannot see reminders, and they cannot see it."""
