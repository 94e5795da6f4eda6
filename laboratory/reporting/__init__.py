"""Reports of how models did on labelled films: numbers, plots, and one file to open."""
