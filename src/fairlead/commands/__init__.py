"""What `fairlead` does on the command line; `cli.py` puts the commands together."""
