"""What others send, as they send it: for each source of deliveries over HTTP a file of samples, named as its kind."""
