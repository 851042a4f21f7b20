"""What can go wrong with the product, on request. Causes are real and stand at the source; their names stay here."""
