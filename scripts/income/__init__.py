"""The study of gender bias in an income classifier and its mitigation."""
