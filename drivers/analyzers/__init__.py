"""Links of glucose analyzers."""
