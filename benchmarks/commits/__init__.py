"""An older commit and the working tree beside each other, in one run."""
