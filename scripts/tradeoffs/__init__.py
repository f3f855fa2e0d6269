"""The study of accuracy, fairness and adversarial robustness of photo scoring on CelebA."""
