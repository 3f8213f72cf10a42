"""The command line: parse options, call a workflow, render the result. The only package that prints."""
