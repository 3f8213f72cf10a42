"""A legacy export and a mapping file -> the blocks of an incident file, each value with its row and column.

`mapping_file` reads a mapping or a preset; `blocks` turns the records of files into blocks, which pass the
same checks and the same builder as an incident file's; `records` opens a file and says what it holds.
"""
