"""The suite mirrors the code; fakes are small and honest, nothing is mocked."""
