"""Nothing goes past the guarded client."""

import ast
from pathlib import Path

NETWORK_MODULES = {
    "aiohttp", "http.client", "httpcore", "httpx", "requests", "urllib.request", "urllib3"
}  # fmt: skip
MAY_IMPORT_THEM = (
    "core/outbound/",
    "practice_lms/",  # speaks HTTP only and knows nothing of ours
    "cli/demo/",  # knocks at the fixed ports of the processes it started itself
    "cli/journey/",  # plays a person's browser on this machine, which is no way out of the tool
)


def test_nothing_else_in_the_tool_opens_connections() -> None:
    house = Path(__file__).parents[2] / "lti_tool"

    offenders = {
        f"{path.relative_to(house)} imports {name}"
        for path in house.rglob("*.py")
        if not str(path.relative_to(house).as_posix()).startswith(MAY_IMPORT_THEM)
        for name in imports_of(path.read_text("utf-8"))
        if any(name == module or name.startswith(f"{module}.") for module in NETWORK_MODULES)
    }

    assert offenders == set()


def test_the_search_for_imports_finds_every_way_to_write_one() -> None:
    text = "import httpx\nfrom urllib import request\ndef f():\n    import requests.sessions as r\n"

    assert {"httpx", "urllib.request", "requests.sessions"} <= imports_of(text)


def imports_of(text: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found
