import subprocess
import sys


def test_names_registry_and_features_import_neither_scikit_learn_nor_modal():
    """Their import takes seconds: a web process that lists strategies must not pay for it."""
    code = (
        "import sys\n"
        "import active_learning.strategies.names, active_learning.strategies.registry\n"
        "import active_learning.learner.features, active_learning.learner.learn, active_learning.learner.artifacts\n"
        "print(sorted({'sklearn', 'modAL', 'skops', 'pandas', 'django'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
