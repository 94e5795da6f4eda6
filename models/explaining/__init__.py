"""What an ensemble saw in a film: heat maps, superpixels, and how they are laid over the film."""
