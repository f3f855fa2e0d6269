"""The study of finding and unlearning a backdoor in a digit classifier."""
