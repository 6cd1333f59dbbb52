"""Bedside control of the hyperinsulinemic-euglycemic clamp. Research software, not a medical device."""

__version__ = "0.1.0"
