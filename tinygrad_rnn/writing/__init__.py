"""How numbers, tensors and formulas are written: in pictures, derivations and tables alike."""
