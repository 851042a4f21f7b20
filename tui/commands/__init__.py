"""What the commands do, a file each. Nothing else imports them."""
