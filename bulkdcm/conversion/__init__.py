"""A run from its manifest to its report: `run` tells its story, and the other modules are its steps."""
