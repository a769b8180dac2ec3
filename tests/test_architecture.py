"""The house keeps its rules: who may import whom, how modules are named, what a committed file may hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
APPS = [name for name in ("labeling", "evaluation", "active_learning") if (REPOSITORY / name).is_dir()]
DOORS = {"views", "api", "admin", "tasks", "management", "forms", "urls", "urls_accounts", "apps", "web"}
PURE = (
    "labeling/quality",
    "labeling/sampling",
    "labeling/keywords.py",
    "labeling/weburls.py",
    "labeling/whole_files.py",
    "evaluation/measures",
)
PURE += ("active_learning/learner", "active_learning/strategies")
PURE_MAY_IMPORT = {"numpy", "scipy", "sklearn", "modAL", "skops", "joblib", "can_ada", "publicsuffixlist"}
LAYERS = "utils", "util", "helpers", "helper", "services", "service", "common", "misc", "manager", "managers"


def modules(*roots: str) -> list[Path]:
    """Python files below the roots, as paths from the repository."""
    found = []
    for root in roots:
        path = REPOSITORY / root
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.exists()
        found += [file.relative_to(REPOSITORY) for file in files]
    return found


def imports(module: Path) -> Iterator[str]:
    """Every name a module imports, in dotted form, also inside functions: `labeling.tasks`, `numpy.random`."""
    package = module.parent.parts
    for node in ast.walk(ast.parse((REPOSITORY / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)


def layer(module: Path) -> str:
    """The part of the app a module belongs to: labeling/api/items.py -> api, labeling/queue.py -> queue."""
    return Path(module.parts[1]).stem


def domain_modules() -> list[Path]:
    return [module for module in modules(*APPS) if layer(module) not in DOORS | {"migrations", "__init__"}]


@pytest.mark.parametrize("app", APPS)
def test_an_app_never_imports_one_that_builds_on_it(app):
    later = APPS[APPS.index(app) + 1 :]
    backwards = [
        (str(module), name) for module in modules(app) for name in imports(module) if name.split(".")[0] in later
    ]
    assert backwards == []


def test_the_domain_never_imports_a_door():
    doors = [
        (str(module), name)
        for module in domain_modules()
        for name in imports(module)
        if name.split(".")[0] in APPS and name.split(".")[1] in DOORS
    ]
    assert doors == []


def test_the_models_import_no_domain_module_that_imports_them():
    upwards = [
        (str(module), name)
        for module in domain_modules()
        if layer(module) == "models"
        for name in imports(module)
        if re.match(
            r"(labeling|evaluation|active_learning)\.(queue|judging|consensus|adjudication|releases|jobs)\b", name
        )
    ]
    assert upwards == []


def test_pure_packages_import_numbers_and_the_standard_library_only():
    import sys

    allowed = PURE_MAY_IMPORT | set(sys.stdlib_module_names)
    own = tuple(root.removesuffix(".py").replace("/", ".") for root in PURE)
    strangers = [
        (str(module), name)
        for module in modules(*PURE)
        for name in imports(module)
        if name.split(".")[0] not in allowed and not name.startswith(own)
    ]
    assert strangers == []


def test_modules_are_named_for_their_job():
    assert [str(module) for module in modules(*APPS, "config", "tests") if module.stem in LAYERS] == []


def test_no_module_has_grown_past_one_sitting():
    long = {
        str(module): lines
        for module in modules(*APPS, "config")
        if "migrations" not in module.parts
        if (lines := len((REPOSITORY / module).read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


@pytest.mark.parametrize("lock", sorted(REPOSITORY.glob("requirements*.lock")), ids=lambda path: path.name)
def test_a_lock_file_pins_by_hash_and_names_no_index(lock):
    text = lock.read_text(encoding="utf-8")
    assert re.findall(r"https?://\S+|file:\S*|^-.*", text, flags=re.MULTILINE) == []
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_vendored_packages_lock_names_no_registry():
    lock = REPOSITORY / "tools" / "vendor" / "package-lock.json"
    assert '"resolved"' not in lock.read_text(encoding="utf-8")


def test_importing_the_tasks_does_not_load_the_learner():
    """Each process would pay seconds and a hundred megabytes at its start; only a running task may."""
    import sys

    script = "import django; django.setup(); from config.celery import app; app.loader.import_default_modules(); "
    script += (
        "import sys; print([name for name in ('sklearn', 'scipy.stats', 'modAL', 'skops') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_no_committed_text_names_a_place_on_one_machine():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    pattern = re.compile(r"(?<![\w.])/(?:root|work)/\w")
    named = []
    for name in listed.stdout.split("\0"):
        path = REPOSITORY / name
        if (
            path.suffix in {".py", ".md", ".toml", ".lock", ".yml", ".html", ".js", ".css", ".json", ".sh", ""}
            and path.is_file()
        ):
            named += [name] if "corpora" not in path.parts and pattern.search(path.read_text(errors="ignore")) else []
    assert named == []
