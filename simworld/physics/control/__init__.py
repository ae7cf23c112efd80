"""What ways to control an arm share: commands, actions, and how the arm, the tool and the gripper are moved."""
