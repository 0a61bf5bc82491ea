"""All judges and scenarios in one hierarchy: weights that borrow from each other as far as the data say."""
