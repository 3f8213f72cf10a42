"""Live incidents -> incidents as a file declares them, which a plan finds unchanged."""

from importer.pull.children import PULLED_CHILDREN, ChildCollector, ChildReader
from importer.pull.declaring import Declared, declare_live, needed, without_numbers
from importer.pull.filters import CATEGORIES, MODES, Filters, chosen
from importer.pull.keys import carriers, keys
from importer.pull.warnings import PullWarnings

__all__ = [
    "CATEGORIES",
    "MODES",
    "PULLED_CHILDREN",
    "ChildCollector",
    "ChildReader",
    "Declared",
    "Filters",
    "PullWarnings",
    "carriers",
    "chosen",
    "declare_live",
    "keys",
    "needed",
    "without_numbers",
]
