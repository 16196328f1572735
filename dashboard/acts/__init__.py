"""What an operator can do with generations: the buttons, asking back, and what would come of it."""
