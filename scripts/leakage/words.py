"""How figures and tables call the study's own methods and what they expose. No library is needed to read this."""

METHOD_WORDS = {
    "logistic": "logistic regression",
    "xgboost": "boosted trees",
    "mlp": "perceptron",
    "logistic_egd": "logistic + EGD",
    "logistic_egd_derandomised": "logistic + EGD, no draws",
    "logistic_dp_thresholds": "logistic + thresholds, parity",
    "logistic_eo_thresholds": "logistic + thresholds, equal odds",
    "mlp_egd": "perceptron + EGD",
    "mlp_egd_derandomised": "perceptron + EGD, no draws",
    "mlp_egd_batch_mean": "perceptron + EGD, batch-mean weights",
    "mlp_egd_batch_mean_derandomised": "perceptron + EGD, batch-mean weights, no draws",
}
DEFENCES = tuple(METHOD_WORDS)  # in the order of figures
OUTPUT_WORDS = {
    "y_pred": "label",
    "score": "score",
    "score_member_mean": "mean of the members",
    "vector": "each member's score",
}
