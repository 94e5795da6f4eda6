"""How the AI does, as figures: pure functions of counts and of numbers, each with its interval."""
