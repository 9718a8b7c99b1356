"""References of a resource replaced by others, wherever they stand in it."""

from collections.abc import Mapping
from typing import Any


def relinked(node: Any, names: Mapping[str, str]) -> Any:
    """A resource with its references replaced where `names` has them: ids, fullUrls, contained resources."""
    if isinstance(node, dict):
        linked = {name: relinked(value, names) for name, value in node.items()}
        if isinstance(linked.get("reference"), str):
            linked["reference"] = names.get(linked["reference"], linked["reference"])
        return linked
    return [relinked(item, names) for item in node] if isinstance(node, list) else node
