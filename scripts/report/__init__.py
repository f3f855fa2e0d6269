"""The report page, the front page and the documents that are written by rules."""
