"""What a finished clamp means: steady state, insulin sensitivity, quality of control."""
