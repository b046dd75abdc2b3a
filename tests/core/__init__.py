"""What every context needs."""
