"""All rules, found by existing: every `Rule` in a module of this package."""

import importlib
import pkgutil
from functools import cache

from audits.rules.question import Rule


@cache
def all_rules() -> dict[str, Rule]:
    """Id -> rule, in the order of the ids."""
    found: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(__path__):
        content = vars(importlib.import_module(f"{__name__}.{module.name}"))
        for one in content.values():
            if not isinstance(one, Rule) or one.module != f"{__name__}.{module.name}":
                continue
            if one.id in found:
                raise ValueError(f"{one.id} stands twice: in {found[one.id].module} and in {one.module}")
            found[one.id] = one
    return dict(sorted(found.items()))
