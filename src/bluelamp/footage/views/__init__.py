"""Pages: finding recordings, showing one, and what is said of it."""
