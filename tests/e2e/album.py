"""Every page looked at twice over, in light and in dark, and once on a phone: what axe finds, and a picture to see."""

from pathlib import Path

from tests.e2e.visitor import IS_WIDER, Visitor, axe_findings

PHONE = {"width": 390, "height": 844}


class Album:
    """Pictures go into `folder`: name-light.png, name-dark.png, name-390.png. What is wrong goes into `findings`.

    Each has a tab of its own: taking a picture puts a style element into the page, which the content policy reports.
    It is closed again, because a page behind another one is painted once a second only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.findings: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, visitor: Visitor, path: str, name: str) -> None:
        tab = visitor.new_tab(watched=False)
        answer = tab.goto(path)
        assert answer is not None and answer.ok, f"{path} answered {answer and answer.status}"
        for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):  # dark changes colours and nothing else
            tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour half way to another
            self.findings += [f"{name}, {scheme}: {found}" for found in axe_findings(tab, *rules)]
            tab.screenshot(path=self.folder / f"{name}-{scheme}.png", full_page=True)
        tab.emulate_media(color_scheme="light")
        tab.set_viewport_size(PHONE)
        if tab.evaluate(IS_WIDER):
            self.findings.append(f"{name} scrolls sideways at 390")
        tab.screenshot(path=self.folder / f"{name}-390.png", full_page=True)
        tab.close()
