"""Print the oldest version that pyproject.toml allows of each dependency, as constraints for pip."""

import re
import tomllib
from pathlib import Path

content = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
project = content["project"]
groups = [content["build-system"]["requires"], project["dependencies"], *project["optional-dependencies"].values()]
bounds = set()
for requirement in (r for group in groups for r in group if not r.startswith(project["name"])):
    match = re.fullmatch(r"([\w.-]+)>=([\d.]+)(\s*;.*)?", requirement)
    if match is None:
        raise SystemExit(f"{requirement!r} in pyproject.toml does not say its oldest version as name>=version")
    name, oldest, marker = match.groups()
    bounds.add(f"{name}=={oldest}{marker or ''}")
print("\n".join(sorted(bounds)))
