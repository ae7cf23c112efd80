"""What acts and learns: scripted experts, imitation, reinforcement learning, and their evaluation."""
