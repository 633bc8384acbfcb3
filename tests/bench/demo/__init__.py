"""The main job as a newcomer meets it."""
