"""Files of leads that somebody sends in: stored, looked at by a person where wished, handed to whoever reads."""
