"""What arrives already counted: returns of counties and of the statistics bureau."""
