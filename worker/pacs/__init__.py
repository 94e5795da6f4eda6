"""Films are fetched from archives: back-fills, new studies, and priors."""
