"""Photos and PDF on their way into a piece of work: received, made safe, shown, handed over."""
