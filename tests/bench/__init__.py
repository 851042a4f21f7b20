"""What the product costs, as ratios measured side by side in one run: `make bench`. Never asserted: machines are noisy."""
