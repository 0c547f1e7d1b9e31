"""What people add to images - labels, masks, resources - and whether it fits them."""
