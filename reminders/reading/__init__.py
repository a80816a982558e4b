"""The guarded ways to read: of patients, of oneself, for the team's pages, of a clinic."""
