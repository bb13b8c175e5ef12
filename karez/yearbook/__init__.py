"""The yearbook: chapters, the proofreader, the comparison with printed figures, and publication."""
