"""Commands about films unlike those that an ensemble was validated on."""
