"""What stands around the product: the companies it calls, the service that renders, its timer and its users."""
