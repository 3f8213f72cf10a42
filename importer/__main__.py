"""Run the `importer` command with `python -m importer`."""

from importer.cli.main import main

main()
