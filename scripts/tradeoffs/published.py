"""What the original study shows, read off its pictures by pixel measurement (AIA: imgs/)."""

# (error, |FNR men - FNR women|): the vertices of the lower hull of the fairness frontier.
FAIRNESS_HULL = ((0.3047, 0.222), (0.3059, 0.173), (0.3093, 0.076), (0.3121, 0.004), (0.3208, 0.0004))
# (error, adversarial error at l_inf 0.01): the vertices of the lower hull of the robustness frontier.
ROBUSTNESS_HULL = ((0.3056, 1.000), (0.3312, 0.696), (0.3426, 0.586), (0.3682, 0.488))
# The two marks on the fairness frontier: gaps above the limit are excluded; error and gap weighed against each other.
GAP_LIMIT = 0.15
ERROR_WEIGHT, GAP_WEIGHT = 1.0, 0.1
# Models of lower accuracy, and so both constants, are left out of the original's 3-D plot.
LEAST_ACCURACY = 0.6
