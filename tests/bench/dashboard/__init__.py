"""What a person waits for in the browser."""
