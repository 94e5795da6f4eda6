"""Model cards: of an ensemble, what people should know before they rely on it."""
