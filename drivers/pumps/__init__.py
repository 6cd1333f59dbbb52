"""Links of infusion pumps."""
