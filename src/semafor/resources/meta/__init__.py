"""What all objects have in common: metadata, selectors, conditions. Fields only, no behaviour."""
