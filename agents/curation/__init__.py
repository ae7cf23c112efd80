"""Which data are made or kept: by quotas, and by what a model gets wrong."""
