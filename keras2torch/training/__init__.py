"""compile(), fit() and the callbacks of a Keras program, and the training script made of them."""
