"""Pages of a lead about the ensemble, and the same in the API: thresholds and acceptance."""
