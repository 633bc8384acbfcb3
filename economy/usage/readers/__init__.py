"""Readers: one module for each kind of foreign log, all yielding the same batches."""
