"""Live incidents -> the incidents of a file, which a plan finds unchanged."""

from importer.pull.children import PULLED_CHILDREN as PULLED_CHILDREN
from importer.pull.children import ChildCollector as ChildCollector
from importer.pull.children import ChildReader as ChildReader
from importer.pull.declaring import Declared as Declared
from importer.pull.declaring import declare_live as declare_live
from importer.pull.declaring import needed as needed
from importer.pull.declaring import without_numbers as without_numbers
from importer.pull.filters import CATEGORIES as CATEGORIES
from importer.pull.filters import MODES as MODES
from importer.pull.filters import Filters as Filters
from importer.pull.filters import chosen as chosen
from importer.pull.keys import carriers as carriers
from importer.pull.keys import keys as keys
from importer.pull.warnings import PullWarnings as PullWarnings
