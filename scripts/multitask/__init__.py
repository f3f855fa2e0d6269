"""The study `multitask`: networks of several tasks, and whether sharing costs accuracy or fairness."""
