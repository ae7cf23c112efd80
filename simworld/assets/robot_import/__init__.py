"""From anybody's URDF to a robot of ours: a lean URDF, meshes and a YAML in one folder."""
