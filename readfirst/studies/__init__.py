"""Rules about studies: priority, findings, marks, patients, prevalence, and what is shown."""
