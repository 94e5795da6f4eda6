"""The work of ensembles in shadow, behind all of that of the active one."""
