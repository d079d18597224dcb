"""A carrier by SMPP: the codec (pdu.py, content.py), and our bind, which has a text on disk before it answers."""
