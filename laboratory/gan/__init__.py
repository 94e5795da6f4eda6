"""A DCGAN that invents normal films, and whether training gains by them."""
