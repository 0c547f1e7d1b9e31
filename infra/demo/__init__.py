"""The data of the demo: synthetic people, real images under their names, and the code that trains on them."""
