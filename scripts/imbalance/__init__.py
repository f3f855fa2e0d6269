"""The study `imbalance`: class and group imbalance, reduced with synthetic rows."""
