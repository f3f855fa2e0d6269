"""What readers are shown of all studies together."""
