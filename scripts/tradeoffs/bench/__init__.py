"""The benchmark: what the project gains in speed over a plain pipeline, as ratios."""
