"""The fault catalogue (FLT): what crashes, breaks and fills up, and that nothing is lost by it."""
