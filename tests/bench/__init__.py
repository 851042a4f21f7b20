"""What the product costs, as ratios measured side by side in one run: `make bench`. Never asserted in tests: machines are noisy."""
