"""Who is here, proven: login, verification, session, registration."""
