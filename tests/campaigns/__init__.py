"""Long stories under load: parts are run with every test, the whole by `make soak`."""
