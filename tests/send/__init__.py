"""What applications send, caught."""
