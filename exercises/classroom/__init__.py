"""Grade a class: any number of notebooks with one command, each answer in a process of its own."""
