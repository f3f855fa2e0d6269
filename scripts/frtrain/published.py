"""The printed numbers that ours stand beside: disparate impact and accuracy."""

# The study's slides, synthetic data: method -> ((DI, accuracy) clean, (DI, accuracy) poisoned).
SYNTHETIC = {
    "LR": ((0.409, 0.885), (0.446, 0.819)),
    "FC": ((0.822, 0.806), (0.831, 0.760)),
    "LBC": ((0.819, 0.760), (0.827, 0.715)),
    "AD": ((0.807, 0.811), (0.834, 0.769)),
    "RML": ((0.471, 0.876), (0.395, 0.869)),
    "RML+FC": ((0.822, 0.806), (0.802, 0.529)),
    "RML+LBC": ((0.819, 0.760), (0.810, 0.752)),
    "RML+AD": ((0.807, 0.811), (0.808, 0.756)),
    "FR-Train": ((0.818, 0.807), (0.827, 0.814)),
}

# A picture of the paper's Table 8, FR-Train on poisoned labels: (data set, validation labels) -> (DI, accuracy).
REAL = {
    ("COMPAS", "crowd"): (0.846, 0.670),
    ("COMPAS", "truth"): (0.899, 0.674),
    ("AdultCensus", "crowd"): (0.847, 0.809),
    ("AdultCensus", "truth"): (0.864, 0.809),
}

# Released notebooks, seed 1, re-run: lambda_f -> (accuracy, DI). Points without an entry were never stated.
NOTEBOOKS = {
    "clean": {0.2: (0.867, 0.492), 0.4: (0.857, 0.554), 0.6: (0.847, 0.663), 0.8: (0.820, 0.766), 0.85: (0.807, 0.818)},
    "poisoned": {0.1: (0.842, 0.657), 0.2: (0.833, 0.722), 0.3: (0.824, 0.760), 0.4: (0.821, 0.770)}
    | {0.52: (0.814, 0.827)},
}
