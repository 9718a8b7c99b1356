"""Fine-tuning: data, the learner, the run and its folder."""
