"""Device links: sans-I/O protocols of analyzers and pumps. No port, thread or clock."""
