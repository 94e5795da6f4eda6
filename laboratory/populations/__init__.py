"""Further populations of an ensemble: fitted to the films of people that it was not made for."""
