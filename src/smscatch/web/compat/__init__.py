"""What others' programs expect of us, in their forms: they change a base URL and work."""
