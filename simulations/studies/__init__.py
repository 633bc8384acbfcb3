"""Questions that the simulation answers: each a study with its own table."""
