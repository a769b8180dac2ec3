"""Every strategy by its name. Importing this imports neither scikit-learn nor modAL; a modAL choice does, when made."""

from __future__ import annotations

from active_learning.strategies.diversity import choose_diverse
from active_learning.strategies.mixing import Strategy
from active_learning.strategies.modal_adapter import FUNCTIONS, modal_choice
from active_learning.strategies.names import STRATEGY_NAMES
from active_learning.strategies.uncertainty import choose_by_margin, choose_by_margin_alone

STRATEGIES = {
    strategy.name: strategy
    for strategy in (
        Strategy("label_margin_div_rand", choose_by_margin, random_share=0.2),
        Strategy("label_margin_div", choose_by_margin),
        Strategy("label_margin", choose_by_margin_alone),
        Strategy("diversity", choose_diverse),
        Strategy("random", None),
        *(Strategy(name, modal_choice(name)) for name in FUNCTIONS),
    )
}


def strategy_named(name: str) -> Strategy:
    """Raises ValueError with the known names when there is no such strategy."""
    if name not in STRATEGIES:
        raise ValueError(f"there is no strategy {name!r}; choose one of {', '.join(STRATEGY_NAMES)}")
    return STRATEGIES[name]
