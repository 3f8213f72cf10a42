"""A legacy export and a mapping file -> the blocks of an incident file, each value with its row and column.

The seam: `read` and `preset` give a Mapping; `blocks` turns the records of files into candidates, which then
pass the same shape check and the same builder as an incident file's; `look` shows what a source holds.
"""

from importer.formats.record import Record
from importer.mapping.blocks import Candidate, Tally, blocks
from importer.mapping.mapping_file import preset, presets, read
from importer.mapping.model import Format, Items, Mapping, Rule
from importer.mapping.records import Look, format_of, look, records, without_records
from importer.mapping.rejects import Reject, as_csv, left_out

__all__ = [
    "Candidate",
    "Format",
    "Items",
    "Look",
    "Mapping",
    "Record",
    "Reject",
    "Rule",
    "Tally",
    "as_csv",
    "blocks",
    "format_of",
    "left_out",
    "look",
    "preset",
    "presets",
    "read",
    "records",
    "without_records",
]
