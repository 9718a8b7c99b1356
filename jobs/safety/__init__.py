"""What the software can say of its own safety, for whoever has to answer for its use."""
