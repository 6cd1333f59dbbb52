"""The simulated world: virtual subjects, emulated devices, faults, and the bench that joins them."""
