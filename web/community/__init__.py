"""The community's pages, for members and for moderators. A request here is a persona's alone."""
