"""Settings, logging and process configuration: the ground every process stands on."""
