"""The store: folders of episodes and of labelled images, whole after any kill, which say themselves what they hold."""
