"""The page of the monitoring, for the lead: plots and tables."""
