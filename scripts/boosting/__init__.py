"""The study of fairness-aware boosting for one and for several attributes."""
