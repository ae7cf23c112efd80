"""Learning to reach goals in hindsight: environments that play in processes of their own, and a learner beside them."""
