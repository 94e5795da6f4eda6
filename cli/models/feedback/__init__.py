"""Commands that give verdicts back: as a training set, and as a calibration."""
