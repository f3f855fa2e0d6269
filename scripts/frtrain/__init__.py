"""The study of FR-Train: fair and robust training against poisoned labels."""
