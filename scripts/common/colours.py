"""The colours of all figures, apart from their style, so that what only names a colour imports no matplotlib."""

# Okabe and Ito's palette: eight colours that colour-blind readers can tell apart.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#5A5A5A"
RED = "#C00000"  # only for the red x that marks an optimum
