"""Virtual subjects held against published clamps: the models sheet's targets, its own figures, and curves.

Nothing here tunes a subject: every figure is computed anew, judged by a tolerance written down before,
and a target whose sources conflict is shown with the reason instead of being judged.
"""
