"""Live incidents -> incidents as a file declares them, which a plan finds unchanged."""

from importer.pull.children import PULLED_CHILDREN, Api, Reader
from importer.pull.declaring import Declared, declare, needed, without_numbers
from importer.pull.filters import CATEGORIES, MODES, Filters, chosen
from importer.pull.keys import carriers, keys
from importer.pull.tally import Tally

__all__ = [
    "CATEGORIES",
    "MODES",
    "PULLED_CHILDREN",
    "Api",
    "Declared",
    "Filters",
    "Reader",
    "Tally",
    "carriers",
    "chosen",
    "declare",
    "keys",
    "needed",
    "without_numbers",
]
