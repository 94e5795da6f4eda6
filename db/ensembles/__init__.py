"""The ensembles of a site: which it knows, how they change, and what is still to be scored."""
