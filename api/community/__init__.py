"""The community's part of the door for programs: for members, and for moderators."""
