"""What ships with the program: starter models, sample images, icons."""
