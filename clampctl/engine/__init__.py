"""The engine: a Qt-free process that owns ports, journal and clock, and runs the core."""
