"""Labels of posts (a lexicon, a trained model, a team's own model) and counts of words, for the warehouse."""
