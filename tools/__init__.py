"""The tools of the people who write and build the course; a reader needs none of them."""
