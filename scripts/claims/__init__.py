"""Claims of the studies: their measures, tolerances and verdicts."""
