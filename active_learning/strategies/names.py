"""Names of the strategies, readable without importing scikit-learn or modAL (an import of seconds)."""

DEFAULT_STRATEGY = "label_margin_div_rand"

# What a manager reads when choosing one. The registry's contract test keeps both lists the same.
STRATEGY_TITLES = {
    "label_margin_div_rand": "Near the line of each label, rare labels first, spread out, with a random share",
    "label_margin_div": "Near the line of each label, rare labels first, spread out",
    "label_margin": "Near the line of each label, rare labels first",
    "diversity": "As different from each other as possible",
    "random": "Drawn at random",
    "modal_min_confidence": "modAL: least probability of the least likely label",
    "modal_avg_confidence": "modAL: highest mean probability over labels",
    "modal_max_score": "modAL: highest score of the strongest label",
    "modal_avg_score": "modAL: highest mean score over labels",
    "modal_uncertainty": "modAL: least probability of the likeliest label",
    "modal_margin": "modAL: the two likeliest labels closest together",
    "modal_entropy": "modAL: probability spread over most labels",
}
STRATEGY_NAMES = tuple(STRATEGY_TITLES)
