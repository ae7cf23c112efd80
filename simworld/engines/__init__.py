"""Where jobs run: in this process, or in others on this machine; what they make is the same."""
