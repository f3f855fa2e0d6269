"""One file per figure: a function of the released frames that returns the figure and the numbers drawn."""
