"""The pure core: what is decided, from facts alone. No clock, file, thread, random number, log or screen."""
