"""Virtual subjects for clamps on the bench: who they are, how they waver, what a sample of them reads.

Phenotype values are set to group means, not fitted to individuals; not evidence of patient safety.
"""

STATEMENT = (
    "Phenotype values are set to group means, not fitted to individuals; not evidence of patient safety."
)
"""To be printed wherever results from virtual subjects are shown."""
