"""Integer networks under TFHE; what is here runs with NumPy 1 too, since concrete-python needs it."""
