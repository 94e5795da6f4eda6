"""De-identification of films (PS3.15 annex E): headers, pixels, and text burned into them."""
