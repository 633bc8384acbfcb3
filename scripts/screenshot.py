"""Pictures of the workbench, taken in Chromium: docs/screenshot.png, or of every page.

    python scripts/screenshot.py                        the Lab, for the README
    python scripts/screenshot.py --all FOLDER           every page, language and theme
    python scripts/screenshot.py --home .economy ...    of your own workspace

Without ``--home`` a workspace is made by the main job on demo data, and removed again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

PROJECT_ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT_ROOT))

from playwright.sync_api import Browser, expect, sync_playwright  # noqa: E402

from dashboards import server  # noqa: E402
from dashboards.i18n import LANGUAGES  # noqa: E402
from tests.parts import CHROMIUM_FLAGS, find_chromium  # noqa: E402

PAGES = ("", "lab", "sheets", "layers", "wallet", "prices", "usage")
README_PICTURE = PROJECT_ROOT / "docs" / "screenshot.png"
WIDTH, HEIGHT = 1440, 1180
WAIT_MS = 30_000


@dataclass(frozen=True, slots=True)
class Look:
    """A page as one person sees it."""

    page: str
    language: str = "en"
    theme: str = "light"
    asks: str = ""
    """What stands in the address besides the language: a question to the Lab."""

    @property
    def file_name(self) -> str:
        return f"{self.page or 'home'}-{self.language}-{self.theme}.png"


README_LOOK = Look("lab", asks="&markup=90")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--home", type=Path, help="a workspace (default: one made for this)")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page, into FOLDER")
    options = parser.parse_args()
    executable = find_chromium()
    if executable is None:
        print("No Chromium. Install it (see scripts/chromium), or set ECONOMY_CHROMIUM.")
        return 1
    with (
        workspace(options.home) as home,
        server.start(home) as running,
        sync_playwright() as playwright,
        playwright.chromium.launch(
            executable_path=executable, args=list(CHROMIUM_FLAGS)
        ) as browser,
    ):
        if options.all is None:
            shoot(browser, running.address, README_LOOK, README_PICTURE)
            return 0
        for look in (Look(*one) for one in product(PAGES, LANGUAGES, ("light", "dark"))):
            shoot(browser, running.address, look, options.all / look.file_name)
    return 0


@contextmanager
def workspace(home: Path | None) -> Iterator[Path]:
    """The workspace that was named, or a demo workspace for as long as this runs."""
    if home is not None:
        yield home
        return
    with TemporaryDirectory() as folder:
        made = Path(folder) / ".economy"
        command = [str(Path(sys.executable).parent / "economy"), "demo", "--no-open"]
        subprocess.run([*command, "--home", str(made)], check=True, stdout=subprocess.DEVNULL)
        yield made


def shoot(browser: Browser, address: str, look: Look, picture: Path) -> None:
    """One page as a newcomer sees it, once it is drawn and no script runs."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        color_scheme="dark" if look.theme == "dark" else "light",
        device_scale_factor=1,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{address}/{look.page}?lang={LANGUAGES[look.language]}{look.asks}", timeout=WAIT_MS)
    heading = page.get_by_test_id("stMain").locator("h1").first
    expect(heading).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=WAIT_MS
    )
    # Parts that the browser loads when it first needs them (charts, grids) come last.
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=WAIT_MS)
    page.evaluate("() => document.fonts.ready")
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=picture, animations="disabled")
    print(picture)
    context.close()


if __name__ == "__main__":
    sys.exit(main())
