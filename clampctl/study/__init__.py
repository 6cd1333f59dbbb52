"""Study documents: texts with units in, frozen core values out, named refusals in between."""
