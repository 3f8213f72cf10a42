"""A legacy export and a mapping file -> the blocks of an incident file, each value with its row and column.

`mapping_file` reads a mapping or a preset; `blocks` turns records into blocks, which are then validated and
built like those of an incident file; `records` opens a file and profiles its contents.
"""
