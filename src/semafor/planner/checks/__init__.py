"""What is wrong with objects, and the words for it."""
