"""Running the service: the wiring of one process, the process itself and its background jobs."""
