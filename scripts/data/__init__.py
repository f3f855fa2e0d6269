"""Download, verify and prepare the data sets."""
