"""Transfers through the kernel and the stores."""
