"""Credit Economy: one economy that live traffic, past usage and simulated agents drive."""
