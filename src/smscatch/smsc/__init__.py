"""Where applications that send by SMPP are bound to us as to their carrier's SMSC: what they submit is caught."""
