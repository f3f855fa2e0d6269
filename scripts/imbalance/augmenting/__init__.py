"""`make augment`: a table of the user's own with the synthetic rows of one plan and generator."""
