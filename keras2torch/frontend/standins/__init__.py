"""Stand-ins for Keras, TensorFlow and what comes with them: each module is looked up when it is asked for."""
